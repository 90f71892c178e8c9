"""The plain server behind the tunnels: the first octet of a connection says what it does.

``E`` sends back what comes; ``S`` takes all and, at its end, says ``.``; ``G`` sends octets until the client is gone;
``B`` sends as many octets as it takes.
"""

import socket
import sys
import threading

CHUNK = 1 << 18


def echo(connection: socket.socket) -> None:
    while data := connection.recv(1 << 14):
        connection.sendall(data)


def sink(connection: socket.socket) -> None:
    room = bytearray(CHUNK)
    while connection.recv_into(room):
        pass
    connection.sendall(b".")


def source(connection: socket.socket) -> None:
    octets = bytes(CHUNK)
    while True:
        connection.sendall(octets)


def both(connection: socket.socket) -> None:
    sending = threading.Thread(target=_until_gone, args=(source, connection), daemon=True)
    sending.start()
    room = bytearray(CHUNK)
    while connection.recv_into(room):
        pass


def _until_gone(serve, connection: socket.socket) -> None:
    try:
        serve(connection)
    except OSError:
        return


def serve(connection: socket.socket) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with connection:
        wish = {b"E": echo, b"S": sink, b"G": source, b"B": both}.get(connection.recv(1))
        if wish is not None:
            _until_gone(wish, connection)


def main() -> None:
    threading.stack_size(1 << 18)
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    print(listener.getsockname()[1], flush=True)
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=_until_gone, args=(serve, connection), daemon=True).start()


if __name__ == "__main__":
    sys.exit(main())
