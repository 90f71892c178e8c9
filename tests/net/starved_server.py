"""An echo server with few file descriptors, for ``test_starved.py``: prints its port, ends with its input."""

import os
import resource
from typing import Any

from twisted.internet import reactor as _reactor
from twisted.internet.protocol import Protocol, ServerFactory
from twisted.internet.stdio import StandardIO

from mailaccess.net.endpoints import TCPEndpoint
from mailaccess.net.listen import Listener, resolve
from mailaccess.ops.logs import EventLog

SPARE = 20
reactor: Any = _reactor


class Echo(Protocol):
    """Says what it hears."""

    def dataReceived(self, data: bytes) -> None:
        assert self.transport is not None
        self.transport.write(data)


class Input(Protocol):
    """Ends the program with its input."""

    def connectionLost(self, reason: object = None) -> None:
        reactor.stop()


def main() -> None:
    factory = ServerFactory()
    factory.protocol = Echo
    [endpoint] = resolve(reactor, TCPEndpoint("--imap", "0", "127.0.0.1", 0), EventLog())
    endpoint.listen(factory).addCallback(lambda port: print(Listener.of("imap", "STARTTLS", port).port, flush=True))
    StandardIO(Input())  # type: ignore[no-untyped-call]
    limit = len(os.listdir("/proc/self/fd")) + SPARE
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    reactor.run()


if __name__ == "__main__":
    main()
