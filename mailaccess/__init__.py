"""A mail access server: IMAP and POP3 over TLS, for mail that lies in Maildirs.

The rooms, from the street to the foundations (arrows run downwards only):

``testing``     a public test kit: memory store, scripted client, clock
``app``         puts a server together: options, configuration, realm, service, the ``mailaccess`` command
``net``         who connects, over what: endpoints, TLS policy, limits on connections
``imap``        the IMAP front end        ``pop3``     the POP3 front end
``tunnel``      TLS for services that have none, both ways
``auth``        credentials, checkers     ``mailbox``  what a mailbox is      ``store``  Maildir and index
``message``     bytes in, structure out   ``sasl``     mechanisms as values
``ops``         logs and limits
``interfaces``  where the rooms, and embedders, meet
``changes`` ``errors`` ``values``         what everybody speaks of
"""

__version__ = "0.1.0"
