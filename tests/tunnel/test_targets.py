import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailaccess.errors import ConfigError
from mailaccess.tunnel.targets import PATH_BYTES, parse_target, parse_targets


@pytest.mark.parametrize(
    ("text", "host", "port", "service"),
    [
        ("mail.example.org:143", "mail.example.org", 143, "imap"),
        ("mail.example.org:pop3", "mail.example.org", 110, "pop3"),
        ("127.0.0.1:4711", "127.0.0.1", 4711, None),
        ("[::1]:imaps", "::1", 993, "imaps"),
        ("[fe80::1%eth0]:25", "fe80::1%eth0", 25, "smtp"),
        ("[::ffff:192.0.2.1]:65535", "::ffff:192.0.2.1", 65535, None),
        ("110", "localhost", 110, "pop3"),
        ("pop-3", "localhost", 110, "pop-3"),
        (" imap ", "localhost", 143, "imap"),
        ("bücher.example:imap", "bücher.example", 143, "imap"),
    ],
)
def test_a_server_with_a_port(text: str, host: str, port: int, service: str | None) -> None:
    target = parse_target(text, "connect")
    assert (target.host, target.port, target.path) == (host, port, "")
    assert (target.service.name if target.service else None) == service
    assert str(target) == text.strip()


def test_a_unix_socket() -> None:
    target = parse_target("unix:/run/pop3 d:1", "connect")
    assert (target.host, target.port, target.path, target.service) == ("localhost", 0, "/run/pop3 d:1", None)
    assert str(target) == "unix:/run/pop3 d:1"


@pytest.mark.parametrize(
    "text",
    [
        *("", "off", "0", "localhost:0", "65536", "localhost:65536", "localhost:", ":110", "::1", "::1:110", "[::1]"),
        *("[::1]110", "[localhost]:110", "localhost:imapz", "local host:110", "localhost:110\n1", "localhost:-110"),
        *("unix:", "unix:a\0b", "unix:" + "ä" * (PATH_BYTES // 2 + 1), "/run/pop3d", "tcp:localhost:110", "٣"),
    ],
)
def test_what_is_no_target(text: str) -> None:
    with pytest.raises(ConfigError) as raised:
        parse_target(text, "connect")
    assert raised.value.key == "connect"
    assert raised.value.value == text


def test_the_longest_path() -> None:
    path = "/" * PATH_BYTES
    assert parse_target(f"unix:{path}", "connect").path == path


def test_several_targets_keep_their_order() -> None:
    assert [str(target) for target in parse_targets(["b:110", "unix:/a", "110"], "connect")] == [
        *("b:110", "unix:/a", "110")
    ]


@pytest.mark.parametrize("texts", [["110", "LOCALHOST:pop3"], ["unix:/a", "143", "unix:/a"]])
def test_a_target_stands_once(texts: list[str]) -> None:
    with pytest.raises(ConfigError, match=f"the same target as {texts[0]}"):
        parse_targets(texts, "connect")


@given(st.text() | st.from_regex(r"(unix:|\[?[a-z:.%]*\]?:)?[a-z0-9/-]*", fullmatch=True))
def test_any_text_is_a_target_or_one_error(text: str) -> None:
    try:
        target = parse_target(text, "connect")
    except ConfigError:
        return
    assert target.host
    assert (1 <= target.port <= 65535) != bool(target.path)
