"""A command's arguments to frozen values (RFC 9051 §9, RFC 3501 §9).

Readers that end in ``_arguments``, ``id_parameters`` and ``enable_names`` begin at the space behind the command's name
and read to the end of the command; the others read what they are called. All raise ``BadSyntax``, and ``search`` also
``BadCharset``.

* ``tokens``: spaces, atoms, strings, numbers · ``sets``: sequence sets · ``flags`` · ``dates`` · ``names`` of mailboxes
* ``fetch``, ``section`` · ``store``: STORE, COPY, MOVE, UID EXPUNGE · ``search`` · ``listing``: LIST, LSUB · ``status``
* ``mailboxes``: SELECT, EXAMINE, CREATE, RENAME, and the commands with a mailbox name only · ``append``
* ``login``: LOGIN, AUTHENTICATE, ID, ENABLE, and the commands without arguments
"""
