"""Values to octets (RFC 9051 §7, §9). Each function returns whole lines with their CRLF, or a part of one.

* ``strings``: quoted strings, literals, mailbox names · ``codes``: response codes · ``lines``: OK, NO, BAD, BYE, ``+``
* ``data``: what a mailbox is: EXISTS, FLAGS, LIST, STATUS, SEARCH, ESEARCH … · ``fetch``: FETCH
"""
