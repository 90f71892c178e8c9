"""Addresses, as stunnel writes them and as we do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailaccess.app.stunnelconf.addresses import host_and_port, listening, target
from mailaccess.net.endpoints import TCPEndpoint, parse_endpoint
from mailaccess.tunnel.targets import parse_target


@pytest.mark.parametrize(
    ("text", "ours"),
    [
        ("995", "0.0.0.0:995"),
        ("pop3s", "0.0.0.0:995"),
        ("POP3S", "0.0.0.0:995"),
        (":995", "0.0.0.0:995"),
        (":::995", "[::]:995"),
        ("::1:995", "[::1]:995"),
        ("[::1]:995", "[::1]:995"),
        ("localhost:pop3s", "localhost:995"),
        ("/run/a:b=c\\d", "unix:/run/a\\:b\\=c\\\\d"),
    ],
)
def test_where_to_accept(text: str, ours: str) -> None:
    assert listening(text) == ours


@pytest.mark.parametrize(
    ("text", "ours"),
    [
        ("110", "110"),
        ("pop3", "110"),
        ("::1:110", "[::1]:110"),
        ("mail.example.org:imaps", "mail.example.org:993"),
        ("/run/mysqld.sock", "unix:/run/mysqld.sock"),
    ],
)
def test_where_to_connect(text: str, ours: str) -> None:
    assert target(text) == ours


@pytest.mark.parametrize("text", ["", ":", "a:", "nonsense", "65536", "9" * 5000, "١", "a b:1", "a@b:1", "-1"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="PORT"):
        listening(text)
    with pytest.raises(ValueError, match="PORT"):
        target(text)


def test_a_host_and_a_port() -> None:
    assert host_and_port("::1:995") == ("[::1]", 995)
    with pytest.raises(ValueError, match="HOST:PORT"):
        host_and_port("995")


HOSTS = st.sampled_from(["", "localhost", "mail.example.org", "192.0.2.1", "::", "::1", "2001:db8::1"])


@given(HOSTS, st.integers(1, 65535))
def test_the_tunnel_reads_what_is_written(host: str, port: int) -> None:
    text = f"{host}:{port}" if host else str(port)
    endpoint = parse_endpoint(listening(text), "accept", 0)
    assert isinstance(endpoint, TCPEndpoint)
    assert (endpoint.host, endpoint.port) == (host or "0.0.0.0", port)
    connect = parse_target(target(text), "connect")
    assert (connect.host, connect.port) == (host or "localhost", port)
