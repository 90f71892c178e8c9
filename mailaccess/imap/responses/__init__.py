"""Values to octets (RFC 9051 §7, §9). Each function returns whole lines with their CRLF, or a part of one.

* ``strings``: mailbox names and sets · ``flags``: lists of flags · ``codes``: response codes
* ``lines``: OK, NO, BAD, BYE and ``+`` · ``fetch``: FETCH
* ``data``: what a mailbox or an account is: EXISTS, FLAGS, LIST, STATUS, SEARCH, ESEARCH …
"""
