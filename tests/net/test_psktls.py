"""TLS with pre-shared keys, both sides in memory."""

import gc
import weakref
from pathlib import Path
from typing import Any, cast

import pytest
from OpenSSL import SSL
from twisted.internet.task import Clock

import mailaccess.net.psktls
from mailaccess.errors import ConfigError
from mailaccess.net.policy import TLSSettings
from mailaccess.net.psktls import PSKClientTLS, PSKServerTLS
from mailaccess.net.servertls import TunnelServerTLS
from mailaccess.tunnel.faults import TLSFailed
from mailaccess.tunnel.tlsside import TLSPeer
from tests.net.doubles import Issue, Remembered
from tests.net.handshakes import say, shake_hands

JOE = "joe:" + "a1" * 32
ANN = "ann:" + "b2" * 16

TLS_1_2, TLS_1_3 = TLSSettings(tls_maximum="1.2"), TLSSettings(tls_minimum="1.3")
versions = pytest.mark.parametrize("settings", [TLS_1_2, TLS_1_3], ids=["1.2", "1.3"])


class Keyed:
    """Makes sides with files of keys."""

    def __init__(self, folder: Path, events: Remembered) -> None:
        self._folder = folder
        self._events = events
        self._clock: Any = Clock()

    def write(self, file: str, *lines: str) -> Path:
        path = self._folder / f"{file}.psk"
        path.touch(0o600)
        path.write_text("\n".join(lines))
        return path

    def client(self, *lines: str, settings: TLSSettings | None = None, **how: Any) -> PSKClientTLS:
        return PSKClientTLS(self.write("client", *lines), self._events, self._clock, settings, **how)

    def server(self, *lines: str, settings: TLSSettings | None = None, **how: Any) -> PSKServerTLS:
        return PSKServerTLS(self.write("server", *lines), self._events, self._clock, settings, **how)


@pytest.fixture
def keyed(tmp_path: Path, events: Remembered) -> Keyed:
    return Keyed(tmp_path, events)


def meet(client: PSKClientTLS, server: PSKServerTLS) -> tuple[TLSPeer, TLSPeer]:
    """What the two think of each other, after they have spoken."""
    side = client.to("mail.example.org")
    ours, theirs = side.new_connection(), server.new_connection()
    shake_hands(ours, theirs)
    result = side.check(ours), server.check(theirs)
    assert say(ours, theirs, b"hello") == b"hello"
    assert say(theirs, ours, b"good day") == b"good day"
    return result


@versions
def test_two_that_have_the_same_key(keyed: Keyed, settings: TLSSettings) -> None:
    server, client = meet(keyed.client(JOE, settings=settings), keyed.server(ANN, JOE))
    assert server == TLSPeer(trusted=True)
    assert client == TLSPeer(trusted=True, server_name="mail.example.org", fields={"PSK_IDENTITY": "joe"})


@versions
def test_the_identity_that_is_named(keyed: Keyed, settings: TLSSettings) -> None:
    _, client = meet(keyed.client(JOE, ANN, settings=settings, identity="ann"), keyed.server(ANN, JOE))
    assert client.fields == {"PSK_IDENTITY": "ann"}


@versions
@pytest.mark.parametrize("theirs", [ANN, "joe:" + "a2" * 32, "Joe:" + "a1" * 32])
def test_two_that_do_not(keyed: Keyed, settings: TLSSettings, theirs: str) -> None:
    with pytest.raises(SSL.Error):
        meet(keyed.client(JOE, settings=settings), keyed.server(theirs))


@versions
def test_keys_are_followed(keyed: Keyed, settings: TLSSettings, events: Remembered) -> None:
    client, server = keyed.client(JOE, settings=settings), keyed.server(JOE)
    meet(client, server)
    keyed.write("server", ANN)
    assert server.reload_if_changed()
    with pytest.raises(SSL.Error):
        meet(client, server)
    keyed.write("client", "nonsense")
    assert not client.reload_if_changed()
    assert events.names()[-1] == "certificate_refused"
    keyed.write("server", JOE)
    server.reload()
    meet(client, server)


@versions
def test_no_session_is_resumed(keyed: Keyed, settings: TLSSettings) -> None:
    client, server = keyed.client(JOE, settings=settings), keyed.server(JOE)
    ours, theirs = client.connection(), server.new_connection()
    shake_hands(ours, theirs)
    say(theirs, ours, b"hello")
    session = ours.get_session()
    ours.shutdown()
    assert session is not None
    keyed.write("server", ANN)
    keyed.write("client", ANN)
    server.reload()
    client.reload()
    ours, theirs = client.connection(), server.new_connection()
    ours.set_session(session)
    shake_hands(ours, theirs)
    assert server.check(theirs).fields == {"PSK_IDENTITY": "ann"}


@versions
def test_a_server_with_a_certificate_instead(
    keyed: Keyed, settings: TLSSettings, issue: Issue, events: Remembered
) -> None:
    server = TunnelServerTLS([issue("mail.example.org")], events, cast(Any, Clock()))
    side = keyed.client(JOE, settings=settings).to("mail.example.org")
    with pytest.raises(SSL.Error):
        shake_hands(side.new_connection(), server.new_connection())


@versions
def test_a_client_without_keys(keyed: Keyed, settings: TLSSettings) -> None:
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    settings.apply(context)
    context.set_cipher_list(b"ALL:@SECLEVEL=0")
    client = SSL.Connection(context, None)
    client.set_connect_state()
    with pytest.raises(SSL.Error):
        shake_hands(client, keyed.server(JOE).new_connection())


def test_an_anonymous_suite_is_not_a_key(keyed: Keyed) -> None:
    settings = TLSSettings(tls_maximum="1.2", ciphers="ADH-AES128-GCM-SHA256:AECDH-AES128-SHA:PSK:@SECLEVEL=0")
    side, server = keyed.client(JOE, settings=settings).to(""), keyed.server(JOE, settings=settings)
    ours, theirs = side.new_connection(), server.new_connection()
    shake_hands(ours, theirs)
    assert str(ours.get_cipher_name()).startswith("A")
    for end, check in ((ours, side.check), (theirs, server.check)):
        with pytest.raises(TLSFailed, match="no pre-shared key of ours"):
            check(end)


def test_suites_have_an_ephemeral_exchange(keyed: Keyed) -> None:
    side = keyed.client(JOE, settings=TLS_1_2).to("")
    client = side.new_connection()
    shake_hands(client, keyed.server(JOE).new_connection())
    assert client.get_cipher_name() == "ECDHE-PSK-CHACHA20-POLY1305"


def test_the_protocol_is_chosen(keyed: Keyed) -> None:
    context = keyed.client(JOE).connection()
    context.set_alpn_protos([b"postgresql"])
    shake_hands(context, keyed.server(JOE, protocol_name=b"postgresql").new_connection())
    assert context.get_alpn_proto_negotiated() == b"postgresql"


@versions
def test_connections_outlive_who_made_them(keyed: Keyed, settings: TLSSettings) -> None:
    client, server = keyed.client(JOE, settings=settings), keyed.server(JOE)
    gone = weakref.ref(client), weakref.ref(server)
    ours, theirs = client.connection(), server.new_connection()
    del client, server
    gc.collect()
    assert gone[0]() is None
    assert gone[1]() is None
    shake_hands(ours, theirs)
    assert say(ours, theirs, b"hello") == b"hello"


def test_an_identity_is_one_line_of_printable_characters(keyed: Keyed) -> None:
    keys = keyed.write("odd", "")
    keys.write_bytes(b"a\x1b\xffb:" + b"a1" * 16)
    lines = keys.read_bytes()
    client, server = keyed.client(JOE), keyed.server(JOE)
    for file in ("client", "server"):
        keyed.write(file).write_bytes(lines)
    client.reload()
    server.reload()
    _, peer = meet(client, server)
    assert peer.fields == {"PSK_IDENTITY": "a?\ufffdb"}


def test_files_that_others_may_read_are_told_of(keyed: Keyed, events: Remembered) -> None:
    keyed.server(JOE)
    assert "psk_open_to_others" not in events.names()
    keyed.write("server", JOE).chmod(0o644)
    keyed.server(JOE)
    assert "psk_open_to_others" in events.names()


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        (TLSSettings(ciphersuites="TLS_AES_256_GCM_SHA384"), "ciphersuites"),
        (TLSSettings(ciphers="ECDHE-RSA-AES128-GCM-SHA256"), "ciphers"),
    ],
)
def test_settings_that_no_key_goes_with(keyed: Keyed, settings: TLSSettings, key: str) -> None:
    for make in (keyed.client, keyed.server):
        with pytest.raises(ConfigError) as caught:
            make(JOE, settings=settings)
        assert caught.value.key == key


def test_an_identity_that_has_no_key(keyed: Keyed) -> None:
    with pytest.raises(ConfigError, match="psk_identity: 'eve' is not possible"):
        keyed.client(JOE, identity="eve")


def test_a_binding_without_keys(keyed: Keyed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailaccess.net.psktls, "have_keys", lambda: False)
    with pytest.raises(ConfigError, match="this version of cryptography has no pre-shared keys"):
        keyed.server(JOE)
