"""The protocols that the tunnel knows, one module for each: how it begins, how TLS begins in it, how it says no.

Each module has one ``Spoken``: ``IMAP``, ``POP3``, ``SMTP``, ``NNTP``, ``LDAP``, ``POSTGRESQL``.

``imap``        RFC 9051, RFC 2595      ``pop3``        RFC 1939, RFC 2595
``smtp``        RFC 5321, RFC 3207      ``nntp``        RFC 3977, RFC 4642
``ldap``        RFC 4511                ``postgresql``  PostgreSQL's own, version 3
``table``       all of them, by name        ``lines``       what the four with lines have in common
``ber``         how LDAP writes             ``clientfirst``  what the two without a greeting have in common
"""
