"""Which TLS is spoken: Mozilla's server side profiles, version 5.7; a tunnel's operator may want it otherwise."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from cryptography.hazmat.primitives.asymmetric import ec
from OpenSSL import SSL

from mailaccess.errors import ConfigError
from mailaccess.net.certificates import CertifiedKey
from mailaccess.ops.transport import openssl_reason

ALPNChoice = Callable[[SSL.Connection, list[bytes]], object]


class Profile(StrEnum):
    """Mozilla's names of what is spoken. ``old`` is none of them: RFC 8314 §4.1 wants TLS 1.2 at the least."""

    INTERMEDIATE = "intermediate"
    MODERN = "modern"


VERSIONS = {"1.2": SSL.TLS1_2_VERSION, "1.3": SSL.TLS1_3_VERSION}
"""What may be spoken at all: RFC 8996 §2 forbids what was before."""

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


@dataclass(frozen=True, slots=True)
class TLSSettings:
    """What is spoken, where it is not the intermediate profile; empty is the profile's.

    The fields are named as the keys of a tunnel. ``ConfigError`` for what this OpenSSL cannot do.
    """

    tls_minimum: str = ""
    tls_maximum: str = ""
    ciphers: str = ""
    """OpenSSL's cipher list, for TLS 1.2."""

    ciphersuites: str = ""
    """OpenSSL's names with colons between, for TLS 1.3."""

    groups: str = ""

    def __post_init__(self) -> None:
        """Try them: what is wrong with them is found here and not by the first client."""
        for key in ("tls_minimum", "tls_maximum"):
            written = getattr(self, key)
            if written and written not in VERSIONS:
                raise ConfigError(key, written, f"one of {', '.join(VERSIONS)} is needed")
        if self.tls_minimum and self.tls_maximum and self.tls_minimum > self.tls_maximum:
            raise ConfigError("tls_minimum", self.tls_minimum, f"it is above tls_maximum, which is {self.tls_maximum}")
        self.apply(SSL.Context(SSL.TLS_METHOD))

    def apply(self, context: SSL.Context) -> None:
        """Have ``context``, which was not used yet, speak as these settings say."""
        context.set_min_proto_version(VERSIONS[self.tls_minimum or "1.2"])
        context.set_max_proto_version(VERSIONS[self.tls_maximum or "1.3"])
        try:
            context.set_cipher_list((self.ciphers or CIPHERS).encode())
        except SSL.Error as error:
            raise ConfigError("ciphers", self.ciphers, _not_known(error)) from error
        if self.ciphersuites:
            self._set_ciphersuites(context)
        if not self.groups:
            _restrict_groups(context)
        elif not _set_groups(context, self.groups):
            raise ConfigError("groups", self.groups, "OpenSSL does not know all of them")

    def _set_ciphersuites(self, context: SSL.Context) -> None:
        """pyOpenSSL has a call for it since version 25.2."""
        choose = getattr(context, "set_tls13_ciphersuites", None)
        if choose is None:
            raise ConfigError("ciphersuites", self.ciphersuites, "pyOpenSSL 25.2 or newer is needed for it")
        try:
            choose(self.ciphersuites.encode())
        except SSL.Error as error:
            raise ConfigError("ciphersuites", self.ciphersuites, _not_known(error)) from error


def _not_known(error: SSL.Error) -> str:
    return f"OpenSSL does not accept it ({openssl_reason(error)})"


def _restrict_groups(context: SSL.Context) -> None:
    """Allow ``GROUPS`` only. Where the binding cannot, the public call leaves one group of the three."""
    if not _set_groups(context, GROUPS):
        context.set_tmp_ecdh(ec.SECP256R1())


def _set_groups(context: SSL.Context, names: str) -> bool:
    """False where it cannot be done: pyOpenSSL has no call for it, its binding has, by the name from before TLS 1.3.

    cryptography has it since version 47.
    """
    set_groups = getattr(SSL._lib, "SSL_CTX_set1_curves_list", None)  # type: ignore[attr-defined]
    return set_groups is not None and set_groups(context._context, names.encode()) == 1


_SETTINGS = {Profile.INTERMEDIATE: TLSSettings(), Profile.MODERN: TLSSettings(tls_minimum="1.3")}


def new_context(certified: CertifiedKey, profile: Profile, choose_protocol: ALPNChoice) -> SSL.Context:
    """A context that shows ``certified`` with its whole chain; ``OpenSSL.SSL.Error`` where OpenSSL refuses it.

    Sessions are resumed by ticket; a ticket's key lives as long as the context. Nothing is cached in the server.
    """
    context = bare_context(SSL.TLS_SERVER_METHOD, _SETTINGS[profile])
    context.set_alpn_select_callback(choose_protocol)  # type: ignore[arg-type]
    show(context, certified)
    return context


def bare_context(method: int, settings: TLSSettings) -> SSL.Context:
    """A context for one of the two roles (``SSL.TLS_CLIENT_METHOD``, ``SSL.TLS_SERVER_METHOD``) without certificate."""
    context = SSL.Context(method)
    context.set_options(_OPTIONS)
    context.set_mode(SSL.MODE_RELEASE_BUFFERS)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    settings.apply(context)
    return context


def show(context: SSL.Context, certified: CertifiedKey) -> None:
    """Have ``context`` show ``certified`` with its whole chain. ``OpenSSL.SSL.Error`` where OpenSSL refuses it."""
    context.use_certificate(certified.leaf)
    for certificate in certified.chain[1:]:
        context.add_extra_chain_cert(certificate)
    context.use_privatekey(certified.key)
    context.check_privatekey()
