"""Makes a test authority and certificates from it, in this folder: ``python certs/make.py [NAME…]``.

``authority.pem`` is what a client trusts; ``server.pem`` a certificate with its chain, ``server-key.pem`` its key, for
the names given (default: localhost and the loopback addresses). Nothing made here is committed, or fit for use.
"""

import os
import sys
from pathlib import Path

import trustme

FOLDER = Path(__file__).parent
NAMES = ("localhost", "127.0.0.1", "::1")


def make(folder: Path, names: tuple[str, ...] = NAMES) -> None:
    """Write authority, certificate and key to ``folder``. An intermediate authority makes the chain two long."""
    root = trustme.CA()
    issued = root.create_child_ca().issue_cert(*names, key_type=trustme.KeyType.ECDSA)
    root.cert_pem.write_to_path(str(folder / "authority.pem"))
    (folder / "server.pem").write_bytes(b"".join(part.bytes() for part in issued.cert_chain_pems))
    key = os.open(folder / "server-key.pem", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(key, "wb") as file:
        file.write(issued.private_key_pem.bytes())


if __name__ == "__main__":
    make(FOLDER, tuple(sys.argv[1:]) or NAMES)
    print(f"{FOLDER}/authority.pem, server.pem and server-key.pem")
