"""TLS for services that have none, both ways: what stunnel and inetd do.

``session``       the story of one connection, from accept to close
``relay``         octets both ways, half-close and backpressure
``stream``        what an end of the tunnel is; ``sockets``, ``tls`` and ``programs`` are the three kinds
``programs``      a program for each connection: ``descriptors`` that it gets, ``children`` to start and reap it, its
                  ``environment``, and ``stderr`` for the log
``tlsside``       TLS as the tunnel asks for it: ``net`` provides it
``conversation``  lines and counted octets, before octets only pass through
``spoken``        what must be known of a protocol that passes through; ``protocols`` has them
``proxies``       CONNECT and SOCKS on the way out, the PROXY protocol on the way in and out
``targets``       where a tunnel leads; ``balance`` which of them is next, ``health`` whether they are well
``admission``     how many connections a service has at once
``faults``        what can go wrong, for the log
"""
