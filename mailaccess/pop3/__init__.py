"""POP3 (RFC 1939, RFC 2449), read from top to bottom of this list; each imports only what stands below it.

* ``protocol``: Twisted's end: transport, timers, TLS, flow of octets. The one module here that imports Twisted.
* ``stock``: maildrops of stock Twisted, as accounts that we serve.
* ``session``: one connection from its greeting to its end: one command at a time, in order.
* ``commands``: the table of commands, and what each is allowed and given.
* ``authorization``: USER, PASS, APOP, AUTH, STLS.
* ``transaction``: STAT, LIST, UIDL, RETR, TOP, DELE, RSET, NOOP.
* ``anytime``: CAPA, QUIT, UTF8, LANG.
* ``capabilities``: CAPA's list, computed.
* ``context``: what a command may use.
* ``maildrop``: the messages of a session: numbers, sizes, marks, and the removal at QUIT.
* ``wire``: octets to lines, replies to octets.
"""
