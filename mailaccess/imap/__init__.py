"""IMAP (RFC 9051, RFC 3501), read from top to bottom of this list; each imports only what stands below it.

* ``protocol``: Twisted's end: transport, timers, TLS. The one module here that imports Twisted.
* ``session``: the states, the queue, what is told to the client and when.
* ``dispatch``: which command is allowed in which state.
* ``commands``: one small module for each command.
* ``context``: what a command may use.
* ``capabilities``: CAPABILITY, computed.
* ``grammar``: a command's arguments to values.
* ``responses``: values to bytes.
* ``wire``: bytes to commands and literals.
* ``waiting``: how a command waits without a reactor.
"""
