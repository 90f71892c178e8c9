"""SASL (RFC 4422) as values: no socket, no clock, no credentials.

``mechanism``  what a mechanism is: a state, and what comes of a response
``plain``      PLAIN (RFC 4616)
``login``      LOGIN (draft-murchison-sasl-login)
``table``      which mechanisms there are, by name
``exchange``   the lines of an exchange as IMAP and POP3 have them: base64, ``=`` and ``*``
"""
