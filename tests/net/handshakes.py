"""Two ends of TLS in memory, and the files of authorities and certificates that they are given."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import trustme
from OpenSSL import SSL

from mailaccess.net.certificates import CertificateFiles

TURNS = 8  # more than any handshake has

Write = Callable[..., CertificateFiles]


def shake_hands(client: SSL.Connection, server: SSL.Connection) -> None:
    """The handshake, and what follows it; raises the ``SSL.Error`` of the end that ends it."""
    ends = (client, server)
    for turn in range(TURNS):
        acting, other = ends[turn % 2], ends[1 - turn % 2]
        with suppress(SSL.WantReadError):
            acting.do_handshake()
        pass_on(acting, other)


def pass_on(source: SSL.Connection, target: SSL.Connection) -> None:
    """What ``source`` has to send."""
    with suppress(SSL.WantReadError):
        while True:
            target.bio_write(source.bio_read(65536))


def say(source: SSL.Connection, target: SSL.Connection, octets: bytes) -> bytes:
    """What ``target`` hears when ``source`` says ``octets``, and takes the tickets that came before them."""
    source.send(octets)
    pass_on(source, target)
    return target.recv(65536)


def write_certificate(folder: Path, file: str, issued: trustme.LeafCert) -> CertificateFiles:
    """A certificate with its chain and key, as files."""
    files = CertificateFiles(folder / f"{file}.pem", folder / f"{file}-key.pem")
    files.certificate.write_bytes(b"".join(part.bytes() for part in issued.cert_chain_pems))
    files.private_key.write_bytes(issued.private_key_pem.bytes())
    return files


def write_authority(folder: Path, file: str, *authorities: Any) -> Path:
    """The certificates of authorities (or leaves: what has ``cert_pem``, or PEM as octets) as a file."""
    path = folder / f"{file}.pem"
    path.write_bytes(b"".join(one if isinstance(one, bytes) else one.cert_pem.bytes() for one in authorities))
    return path
