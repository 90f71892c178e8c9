import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailaccess.errors import ConfigError
from mailaccess.net.endpoints import DescribedEndpoint, Endpoint, SystemdEndpoint, TCPEndpoint, parse_endpoint


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
        ("imaps", tcp("imaps", None, 993)),
        ("localhost:pop3s", tcp("localhost:pop3s", "localhost", 995)),
        ("[::1]:imaps", tcp("[::1]:imaps", "::1", 993)),
        ("tcp:imaps", DescribedEndpoint("--imaps", "tcp:imaps")),
        ("tcp:993", DescribedEndpoint("--imaps", "tcp:993")),
        ("tcp:993:interface=127.0.0.1", DescribedEndpoint("--imaps", "tcp:993:interface=127.0.0.1")),
        ("unix:/run/imap", DescribedEndpoint("--imaps", "unix:/run/imap")),
        ("systemd:domain=INET6:index=0", DescribedEndpoint("--imaps", "systemd:domain=INET6:index=0")),
        ("systemd:imaps", SystemdEndpoint("--imaps", "systemd:imaps", "imaps")),
        ("systemd:0", SystemdEndpoint("--imaps", "systemd:0", "0")),
        ("systemd:mail-imaps.socket", SystemdEndpoint("--imaps", "systemd:mail-imaps.socket", "mail-imaps.socket")),
        ("systemd:domain=INET:name=imaps", DescribedEndpoint("--imaps", "systemd:domain=INET:name=imaps")),
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
        *("imapz", "localhost:imapz", "[::1]:imapz", "-", "imaps:", ":imaps", "localhost:imaps:993", "im aps"),
    ],
)
def test_what_is_no_endpoint(text: str) -> None:
    with pytest.raises(ConfigError) as raised:
        parse_endpoint(text, "--imaps", 993)
    assert raised.value.key == "--imaps"
    assert raised.value.value == text


def test_a_port_that_is_none_is_told_apart_from_a_word_that_is_none() -> None:
    with pytest.raises(ConfigError, match="a port is 0 to 65535"):
        parse_endpoint("localhost:65536", "--imaps", 993)
    with pytest.raises(ConfigError, match="a port or service"):
        parse_endpoint("localhost:imapz", "--imaps", 993)


@pytest.mark.parametrize(
    ("text", "service"),
    [
        *[("pop3s", "pop3s"), ("995", "pop3s"), ("[::1]:995", "pop3s"), ("", "imaps"), ("localhost:pop-3", "pop-3")],
        *[("ssmtp", "ssmtp"), ("localhost:4711", None), ("0", None), ("tcp:995:interface=localhost", "pop3s")],
        *[("tcp:port=143", "imap"), ("haproxy:tcp:143", "imap"), ("unix:995", None), ("systemd:index=995", None)],
    ],
)
def test_the_service_that_is_meant(text: str, service: str | None) -> None:
    endpoint = parse_endpoint(text, "--imaps", 993)
    assert endpoint is not None
    assert (endpoint.service.name if endpoint.service else None) == service


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
