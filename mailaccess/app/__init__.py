"""Puts a server together.

``config``      the keys that an operator may set, their words, and where each value came from
``options``     the same keys as options of ``twistd mailaccess``
``places``      where a user's mail, the index and the state lie
``realm``       from a login to an account: the only place where ``auth``, ``mailbox`` and ``store`` meet
``checks``      what can be said of a configuration before anything is made or bound
``offered``     the four services: which protocol, on which port, and how TLS begins
``listeners``   their listeners
``first_start`` what the first start makes: a user, and two messages (``welcome``)
``parts``       users, mail and the protocols' factories: what is behind the listeners
``service``     the Twisted service: listeners, sessions, reload, stop
``inetd``       one connection, which inetd or systemd gives as descriptor 0 (``descriptors``, ``syslog``)
``notify``      what systemd is told: ready, reloading, stopping, alive, and how it goes
``signals``     what a signal means; ``privileges``, what is given up when sockets are bound
``command``     the ``mailaccess`` command
``keys``        a key of the configuration
``tunnels``     tunnels as a service: ``tunnel_table`` (their keys), ``tunnel_plan`` and ``tunnel_tls`` (what is made of
                them), ``tunnel_command``, ``tunnel_options`` and ``tunnel_check`` (``mailaccess tunnel``)
``stunnelconf`` tunnels from an stunnel.conf
"""
