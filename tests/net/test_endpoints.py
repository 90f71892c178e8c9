import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailaccess.errors import ConfigError
from mailaccess.net.endpoints import DescribedEndpoint, Endpoint, TCPEndpoint, parse_endpoint


def tcp(text: str, host: str | None, port: int) -> TCPEndpoint:
    return TCPEndpoint("--imaps", text, host, port)


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [
        ("off", None),
        ("", TCPEndpoint("--imaps", "993", None, 993, 1993)),
        ("993", tcp("993", None, 993)),
        (" 0 ", tcp("0", None, 0)),
        ("127.0.0.1:65535", tcp("127.0.0.1:65535", "127.0.0.1", 65535)),
        ("localhost:1993", tcp("localhost:1993", "localhost", 1993)),
        ("mail.example.org:993", tcp("mail.example.org:993", "mail.example.org", 993)),
        ("[::1]:993", tcp("[::1]:993", "::1", 993)),
        ("[fe80::1%eth0]:993", tcp("[fe80::1%eth0]:993", "fe80::1%eth0", 993)),
        ("tcp:993", DescribedEndpoint("--imaps", "tcp:993")),
        ("tcp:993:interface=127.0.0.1", DescribedEndpoint("--imaps", "tcp:993:interface=127.0.0.1")),
        ("unix:/run/imap", DescribedEndpoint("--imaps", "unix:/run/imap")),
        ("systemd:domain=INET6:index=0", DescribedEndpoint("--imaps", "systemd:domain=INET6:index=0")),
        ("haproxy:tcp:993", DescribedEndpoint("--imaps", "haproxy:tcp:993")),
        ("tcp6:993", DescribedEndpoint("--imaps", "tcp6:993")),
    ],
)
def test_parse_endpoint(text: str, endpoint: Endpoint | None) -> None:
    assert parse_endpoint(text, "--imaps", 993) == endpoint


@pytest.mark.parametrize(
    "text",
    [
        *("on", "-1", "65536", "99999999999999999999", "٣", "1:65536", "host:٣", "localhost:99x", "a b:993"),
        *("host:", ":993", "[::1]", "[::1]:", "::1", "::1:993", "[nonsense:993", "tpc:x=1"),
    ],
)
def test_what_is_no_endpoint(text: str) -> None:
    with pytest.raises(ConfigError) as raised:
        parse_endpoint(text, "--imaps", 993)
    assert raised.value.key == "--imaps"
    assert raised.value.value == text


@pytest.mark.parametrize(
    ("text", "encrypted"),
    [("ssl:993:privateKey=k", True), ("haproxy:ssl:993", True), ("haproxy:tcp:993", False), ("unix:/run/ssl", False)],
)
def test_endpoints_that_speak_tls_of_themselves(text: str, encrypted: bool) -> None:
    endpoint = parse_endpoint(text, "--imaps", 993)
    assert endpoint is not None
    assert endpoint.encrypted is encrypted


@given(st.text(max_size=40))
def test_any_text_is_an_endpoint_or_one_error(text: str) -> None:
    try:
        endpoint = parse_endpoint(text, "--imaps", 993)
    except ConfigError:
        return
    if isinstance(endpoint, TCPEndpoint):
        assert 0 <= endpoint.port <= 65535
