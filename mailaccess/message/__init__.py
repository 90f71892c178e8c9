"""What a message is made of: octets in, structure out.

Pure, linear in the size of its input, and never an exception for broken mail. Offsets and sizes are of the message as
on the wire: CRLF line ends. Where the standards leave a choice, ``docs/quirks.md`` says what was chosen.

``lines``          LF of a Maildir to CRLF of the wire, whole or in slices of a large file
``mutf7``          modified UTF-7 of mailbox names
``quoting``        octets as an IMAP string: quoted or literal
``headers``        fields: where the header ends, what a field says, HEADER.FIELDS
``lexical``        what structured fields have in common: comments, quoted pairs, white space
``charsets``       octets and the name of a charset to text
``words``          encoded words (RFC 2047) and raw UTF-8 (RFC 6532) to text
``dates``          Date fields, obsolete and broken ones too
``addresses``      lists of addresses and groups
``envelope``       ENVELOPE
``media``          values of the Content-* fields: media types, parameters (RFC 2231), dispositions
``structure``      the tree of parts, as offsets
``bodystructure``  BODY and BODYSTRUCTURE
``transfer``       base64 and quoted-printable to octets
``sections``       BODY[section]: which octets a section names
``text``           what SEARCH looks through
"""
