"""The profile as a client meets it, without sockets: two engines that pass each other their octets."""

from collections.abc import Callable
from contextlib import suppress

import pytest
import trustme
from OpenSSL import SSL

from mailaccess.errors import ConfigError
from mailaccess.net.policy import Profile, TLSSettings, new_context
from tests.net.doubles import Issue

Adjust = Callable[[SSL.Context], object]

needs_groups = pytest.mark.skipif(
    not hasattr(SSL._lib, "SSL_CTX_set1_curves_list"),  # type: ignore[attr-defined]
    reason="this version of cryptography has no call for groups",
)


def serve(connection: SSL.Connection, offered: list[bytes]) -> object:
    return SSL.NO_OVERLAPPING_PROTOCOLS


def shake_hands(server: SSL.Context, adjust: Adjust) -> tuple[SSL.Connection, SSL.Connection]:
    """The client's and the server's connection after a handshake; raises ``SSL.Error`` where there is none."""
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_cipher_list(b"ALL:@SECLEVEL=0")
    adjust(context)
    ends = SSL.Connection(context, None), SSL.Connection(server, None)
    ends[0].set_connect_state()
    ends[1].set_accept_state()
    for turn in range(8):
        acting, other = ends[turn % 2], ends[1 - turn % 2]
        with suppress(SSL.WantReadError):
            acting.do_handshake()
        pass_on(acting, other)
    return ends


def pass_on(source: SSL.Connection, target: SSL.Connection) -> None:
    try:
        while True:
            target.bio_write(source.bio_read(65536))
    except SSL.WantReadError:
        return


def groups(names: str) -> Adjust:
    def adjust(context: SSL.Context) -> None:
        assert SSL._lib.SSL_CTX_set1_curves_list(context._context, names.encode()) == 1  # type: ignore[attr-defined]

    return adjust


def version(only: int) -> Adjust:
    def adjust(context: SSL.Context) -> None:
        context.set_min_proto_version(only)
        context.set_max_proto_version(only)

    return adjust


def ciphers(names: str) -> Adjust:
    def adjust(context: SSL.Context) -> None:
        context.set_max_proto_version(SSL.TLS1_2_VERSION)
        context.set_cipher_list(names.encode() + b":@SECLEVEL=0")

    return adjust


@pytest.fixture(params=[trustme.KeyType.ECDSA, trustme.KeyType.RSA])
def server(issue: Issue, request: pytest.FixtureRequest) -> SSL.Context:
    return new_context(issue("server.example", key_type=request.param).read(), Profile.INTERMEDIATE, serve)


@pytest.mark.parametrize("only", [SSL.TLS1_2_VERSION, SSL.TLS1_3_VERSION])
def test_versions_that_are_spoken(server: SSL.Context, only: int) -> None:
    client, _ = shake_hands(server, version(only))
    assert client.get_protocol_version() == only


@pytest.mark.parametrize("only", [SSL.TLS1_VERSION, SSL.TLS1_1_VERSION])
def test_versions_that_are_not(server: SSL.Context, only: int) -> None:
    with pytest.raises(SSL.Error):
        shake_hands(server, version(only))


@pytest.mark.parametrize(
    "names",
    [
        "ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA",
        "ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES128-SHA256",
        "ECDHE-ECDSA-AES256-SHA384:ECDHE-RSA-AES256-SHA384",
        "ECDHE-ECDSA-AES128-CCM:ECDHE-ECDSA-AES256-CCM8:AES128-CCM",
        "AES128-GCM-SHA256:AES256-GCM-SHA384",
        "DHE-RSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-ARIA128-GCM-SHA256:ECDHE-ARIA128-GCM-SHA256",
    ],
)
def test_suites_that_are_refused(server: SSL.Context, names: str) -> None:
    with pytest.raises(SSL.Error):
        shake_hands(server, ciphers(names))


@pytest.mark.parametrize("cipher", ["AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305"])
def test_the_order_of_suites_is_the_clients(server: SSL.Context, cipher: str) -> None:
    mine = f"ECDHE-ECDSA-{cipher}:ECDHE-RSA-{cipher}:ECDHE+AESGCM:ECDHE+CHACHA20"
    client, _ = shake_hands(server, ciphers(mine))
    assert str(client.get_cipher_name()).endswith(cipher)


@needs_groups
@pytest.mark.parametrize("names", ["X448", "P-521", "X448:P-521"])
@pytest.mark.parametrize("only", [SSL.TLS1_2_VERSION, SSL.TLS1_3_VERSION])
def test_groups_that_are_refused(server: SSL.Context, names: str, only: int) -> None:
    def adjust(context: SSL.Context) -> None:
        groups(names)(context)
        version(only)(context)

    with pytest.raises(SSL.Error):
        shake_hands(server, adjust)


@needs_groups
@pytest.mark.parametrize(
    ("names", "group"), [("X448:X25519", "x25519"), ("P-521:P-256", "secp256r1"), ("P-384", "secp384r1")]
)
def test_groups_that_are_used(server: SSL.Context, names: str, group: str) -> None:
    client, _ = shake_hands(server, groups(names))
    assert client.get_group_name() == group


def test_the_whole_chain_is_shown(server: SSL.Context) -> None:
    client, _ = shake_hands(server, lambda context: None)
    chain = client.get_peer_cert_chain(as_cryptography=True)
    assert chain is not None
    assert [certificate.issuer for certificate in chain[:-1]] == [certificate.subject for certificate in chain[1:]]
    assert len(chain) == 2


def test_nothing_is_negotiated_twice(server: SSL.Context) -> None:
    client, other = shake_hands(server, version(SSL.TLS1_2_VERSION))
    assert client.renegotiate()
    with pytest.raises(SSL.WantReadError):
        client.do_handshake()
    pass_on(client, other)
    with pytest.raises(SSL.WantReadError):
        other.recv(100)
    pass_on(other, client)
    with pytest.raises(SSL.Error, match="no renegotiation"):
        client.do_handshake()


def test_modern_speaks_tls_1_3_only(issue: Issue) -> None:
    server = new_context(issue("server.example").read(), Profile.MODERN, serve)
    client, _ = shake_hands(server, lambda context: None)
    assert client.get_protocol_version() == SSL.TLS1_3_VERSION
    with pytest.raises(SSL.Error):
        shake_hands(server, version(SSL.TLS1_2_VERSION))


@needs_groups
def test_without_the_bindings_call_one_group_is_left(issue: Issue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SSL._lib, "SSL_CTX_set1_curves_list", lambda context, names: 0, raising=True)  # type: ignore[attr-defined]
    server = new_context(issue("server.example").read(), Profile.INTERMEDIATE, serve)
    monkeypatch.undo()
    client, _ = shake_hands(server, groups("X448:P-521:P-256"))
    assert client.get_group_name() == "secp256r1"
    with pytest.raises(SSL.Error):
        shake_hands(server, groups("X448:P-521"))


# -- settings of a tunnel


def settled(settings: TLSSettings, issue: Issue) -> SSL.Context:
    context = new_context(issue("server.example").read(), Profile.INTERMEDIATE, serve)
    settings.apply(context)
    return context


def test_settings_that_say_nothing_are_the_profile(issue: Issue) -> None:
    server = settled(TLSSettings(), issue)
    for names in ("AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA256"):
        with pytest.raises(SSL.Error):
            shake_hands(server, ciphers(names))
    for only in (SSL.TLS1_2_VERSION, SSL.TLS1_3_VERSION):
        client, _ = shake_hands(server, version(only))
        assert client.get_group_name() in {"x25519", "secp256r1"}


@pytest.mark.parametrize(
    ("settings", "spoken", "refused"),
    [
        (TLSSettings(tls_minimum="1.3"), SSL.TLS1_3_VERSION, SSL.TLS1_2_VERSION),
        (TLSSettings(tls_maximum="1.2"), SSL.TLS1_2_VERSION, SSL.TLS1_3_VERSION),
    ],
)
def test_versions_that_are_set(issue: Issue, settings: TLSSettings, spoken: int, refused: int) -> None:
    server = settled(settings, issue)
    client, _ = shake_hands(server, version(spoken))
    assert client.get_protocol_version() == spoken
    with pytest.raises(SSL.Error):
        shake_hands(server, version(refused))


def test_ciphers_that_are_set(issue: Issue) -> None:
    server = settled(TLSSettings(ciphers="ECDHE-ECDSA-AES128-SHA256"), issue)
    client, _ = shake_hands(server, ciphers("ECDHE-ECDSA-AES128-SHA256"))
    assert client.get_cipher_name() == "ECDHE-ECDSA-AES128-SHA256"
    with pytest.raises(SSL.Error):
        shake_hands(server, ciphers("ECDHE-ECDSA-AES128-GCM-SHA256"))


def test_suites_of_tls_1_3_that_are_set(issue: Issue) -> None:
    server = settled(TLSSettings(ciphersuites="TLS_CHACHA20_POLY1305_SHA256"), issue)
    client, _ = shake_hands(server, version(SSL.TLS1_3_VERSION))
    assert client.get_cipher_name() == "TLS_CHACHA20_POLY1305_SHA256"


@needs_groups
def test_groups_that_are_set(issue: Issue) -> None:
    server = settled(TLSSettings(groups="P-521"), issue)
    client, _ = shake_hands(server, groups("X25519:P-521"))
    assert client.get_group_name() == "secp521r1"
    with pytest.raises(SSL.Error):
        shake_hands(server, groups("X25519"))


@pytest.mark.parametrize(
    ("key", "written"),
    [
        ("tls_minimum", {"tls_minimum": "1.1"}),
        ("tls_maximum", {"tls_maximum": "SSLv3"}),
        ("tls_minimum", {"tls_minimum": "1.3", "tls_maximum": "1.2"}),
        ("ciphers", {"ciphers": "NONSENSE"}),
        ("ciphersuites", {"ciphersuites": "NONSENSE"}),
        ("groups", {"groups": "X25519:NONSENSE"}),
    ],
)
def test_settings_that_cannot_be(key: str, written: dict[str, str]) -> None:
    with pytest.raises(ConfigError) as caught:
        TLSSettings(**written)
    assert caught.value.key == key
    assert caught.value.value == written[key]


def test_suites_need_a_new_pyopenssl(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(SSL.Context, "set_tls13_ciphersuites", raising=True)
    with pytest.raises(ConfigError, match=r"pyOpenSSL 25\.2 or newer"):
        TLSSettings(ciphersuites="TLS_CHACHA20_POLY1305_SHA256")


def test_groups_need_the_bindings_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SSL._lib, "SSL_CTX_set1_curves_list", lambda context, names: 0, raising=True)  # type: ignore[attr-defined]
    with pytest.raises(ConfigError, match="groups"):
        TLSSettings(groups="P-256")
