"""Who connects, and over what: the way from a configuration's endpoints to the protocols' factories.

``endpoints``     what an operator writes (``off``, ``993``, ``HOST:PORT``, ``systemd:…``) as values
``systemd``       listening sockets that systemd hands over
``listen``        binds them, and serves a factory on what was bound
``policy``        which TLS is spoken: versions, ciphers, groups (Mozilla's profiles)
``certificates``  a certificate's files as one value: chain, key, names
``selfsigned``    the certificate that a server without one makes for itself
``sni``           which certificate a client gets that names a host
``following``     files that are read again when they change
``tls``           brings those together for the mail server
``peers``         what a certificate says of who shows it
``hostnames``     names and addresses as TLS compares and asks for them
``authorities``   who vouches for the other side: an operator's files
``trust``         who is trusted at the other end: authorities, names, public keys
``clienttls``     TLS for a tunnel, in the client's role
``servertls``     and in the server's
``psk``           keys that both sides had before: their file, and OpenSSL's callbacks
``psktls``        TLS for a tunnel with those instead of certificates, in both roles
``admission``     the table of connections, and who must go when there are too many
``gate``          that table as the front ends see it, with its clock: refusals, login deadlines, drain

Front ends stand below this room and never import it: they are given ``IGate`` and a TLS connection creator.
"""
