"""Which TLS is spoken: Mozilla's server side profiles, version 5.7, and nothing beside them."""

from collections.abc import Callable
from enum import StrEnum

from cryptography.hazmat.primitives.asymmetric import ec
from OpenSSL import SSL

from mailaccess.net.certificates import CertifiedKey

ALPNChoice = Callable[[SSL.Connection, list[bytes]], object]


class Profile(StrEnum):
    """Mozilla's names of what is spoken. ``old`` is none of them: RFC 8314 §4.1 wants TLS 1.2 at the least."""

    INTERMEDIATE = "intermediate"
    MODERN = "modern"


_LOWEST = {Profile.INTERMEDIATE: SSL.TLS1_2_VERSION, Profile.MODERN: SSL.TLS1_3_VERSION}

CIPHERS = ":".join(
    f"ECDHE-{signature}-{cipher}"
    for cipher in ("AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305")
    for signature in ("ECDSA", "RSA")
)
"""For TLS 1.2. The DHE suites of the list need parameters, and no client that lacks the others is left.

TLS 1.3 has OpenSSL's three, which are the profile's. The client's order counts: it knows whether it has AES hardware.
"""

GROUPS = "X25519:P-256:P-384"
"""For the key exchange: X448 and P-521 cost much more, and no client is without all of these."""

_OPTIONS = SSL.OP_NO_COMPRESSION | SSL.OP_NO_RENEGOTIATION


def new_context(certified: CertifiedKey, profile: Profile, choose_protocol: ALPNChoice) -> SSL.Context:
    """A context that shows ``certified`` with its whole chain; ``OpenSSL.SSL.Error`` where OpenSSL refuses it.

    Sessions are resumed by ticket; a ticket's key lives as long as the context. Nothing is cached in the server.
    """
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version(_LOWEST[profile])
    context.set_options(_OPTIONS)
    context.set_mode(SSL.MODE_RELEASE_BUFFERS)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_cipher_list(CIPHERS.encode())
    _restrict_groups(context)
    context.set_alpn_select_callback(choose_protocol)  # type: ignore[arg-type]
    context.use_certificate(certified.leaf)
    for certificate in certified.chain[1:]:
        context.add_extra_chain_cert(certificate)
    context.use_privatekey(certified.key)
    context.check_privatekey()
    return context


def _restrict_groups(context: SSL.Context) -> None:
    """Allow ``GROUPS`` only. pyOpenSSL has no call for it; its binding has, under the name from before TLS 1.3.

    cryptography has it since version 47. Before, the public call leaves one group of the three.
    """
    set_groups = getattr(SSL._lib, "SSL_CTX_set1_curves_list", None)  # type: ignore[attr-defined]
    if set_groups is None or set_groups(context._context, GROUPS.encode()) != 1:
        context.set_tmp_ecdh(ec.SECP256R1())
