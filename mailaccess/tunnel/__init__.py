"""TLS for services that have none, both ways: what stunnel and inetd do.

``service``       a service as Twisted sees it: a factory whose connections are sessions
``session``       the story of one connection, from accept to close, by a ``plan``; the client is a ``visitor``
``admission``     how many connections there may be
``destination``   where a connection goes: to servers, of which one is chosen, or to a program; ``far`` is that end
``targets``       what servers are called; ``balance`` which of them is next, ``health`` whether they are well
``way``           the way out to a server; ``greeting`` is the look at its first line
``programs``      a program for each connection: ``children``, ``descriptors``, ``environment``, ``stderr``
``relay``         octets both ways, half-close and backpressure
``stream``        what an end of the tunnel is; ``sockets``, ``tls`` and ``programs`` are the three kinds
``tlsside``       TLS as the tunnel asks for it: ``net`` provides it
``conversation``  lines and counted octets, before octets only pass through
``spoken``        what must be known of a protocol that passes through; ``protocols`` has them
``proxies``       CONNECT and SOCKS on the way out, the PROXY protocol on the way in and out
``patience``      how long a step may take
``faults``        what can go wrong, for the log
"""
