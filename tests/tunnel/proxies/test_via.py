"""A proxy's URL."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted import Scripted, run

from mailaccess.errors import ConfigError
from mailaccess.tunnel.conversation import Conversation
from mailaccess.tunnel.proxies.via import Via, parse_via


@pytest.mark.parametrize(
    ("text", "via"),
    [
        ("http://proxy.example.org:3128", Via("http", "proxy.example.org", 3128)),
        ("HTTP://proxy:8080/", Via("http", "proxy", 8080)),
        ("http://joe:pa%40ss%3a%2F%25@[2001:db8::7]:8080", Via("http", "2001:db8::7", 8080, "joe", "pa@ss:/%")),
        ("socks5://192.0.2.7", Via("socks5", "192.0.2.7", 1080)),
        ("socks5h://j%c3%b6:b:c@tor:9050", Via("socks5h", "tor", 9050, "jö", "b:c")),
        ("socks5://jö:ß@tor", Via("socks5", "tor", 1080, "jö", "ß")),
        ("socks4a://joe@[::1]", Via("socks4a", "::1", 1080, "joe")),
        ("socks4://joe:@10.0.0.1:1", Via("socks4", "10.0.0.1", 1, "joe")),
    ],
)
def test_a_url_is_read(text: str, via: Via) -> None:
    assert parse_via(text, "--via") == via


@pytest.mark.parametrize(
    ("text", "value", "allowed"),
    [
        ("", "…", "is needed"),
        ("proxy:8080", "…", "is needed"),
        ("http://", "http://…", "is needed"),
        ("https://joe:secret@proxy:443", "https://…@proxy:443", "is needed"),
        ("http://joe:secret@proxy", "http://…@proxy", "needs its port"),
        ("socks5://joe:secret@proxy:0", "socks5://…@proxy:0", "1 to 65535"),
        ("socks5://proxy:65536", "socks5://proxy:65536", "1 to 65535"),
        ("socks5://joe:secret@:1080", "socks5://…", "is needed"),
        ("socks5://joe:secret@bad host", "socks5://…", "is needed"),
        ("socks5://joe:secret", "socks5://…", "is needed"),
        ("socks5://joe:sec@secret@proxy", "socks5://…", "is needed"),
        ("socks5://joe:secret%4@proxy", "socks5://…", "is needed"),
        ("socks5://joe:secret@proxy/path", "socks5://…", "is needed"),
        ("socks5://joe:secret@::1", "socks5://…", "is needed"),
        ("secret://secret:secret@x", "secret://…@x", "is needed"),
        ("socks5://joe:secret%ff@proxy", "socks5://…@proxy", "UTF-8"),
        ("socks5://joe:secret%0d%0a@proxy", "socks5://…@proxy", "control characters"),
        ("http://joe%7f:secret@proxy:1", "http://…@proxy:1", "control characters"),
        ("http://j%3aoe:secret@proxy:1", "http://…@proxy:1", "no colon"),
        ("socks4://joe:secret@proxy", "socks4://…@proxy", "no passwords"),
        ("socks5://joe:" + "secret" * 50 + "@proxy", "socks5://…@proxy", "255 octets"),
    ],
)
def test_what_is_wrong_is_told_without_the_password(text: str, value: str, allowed: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_via(text, "tunnel.via")
    assert (caught.value.key, caught.value.value) == ("tunnel.via", value)
    assert allowed in caught.value.allowed


def test_the_password_is_in_no_repr() -> None:
    assert "secret" not in repr(parse_via("socks5://joe:secret@proxy", "--via"))


@pytest.mark.parametrize(
    ("url", "answer", "said"),
    [
        ("http://joe:secret@p:1", b"HTTP/1.1 200 OK\r\n\r\n", b"Basic am9lOnNlY3JldA==\r\n\r\n"),
        ("socks5://joe:secret@p", b"\5\2\1\0\5\0\0\1" + bytes(6), b"\1\3joe\6secret\5\1\0\3\1h\0\7"),
        ("socks5h://p", b"\5\0\5\0\0\1" + bytes(6), b"\5\1\0\5\1\0\3\1h\0\7"),
        ("socks4a://joe@p", b"\0\x5a" + bytes(6), b"\4\1\0\7\0\0\0\1joe\0h\0"),
    ],
)
def test_each_scheme_speaks_its_protocol(url: str, answer: bytes, said: bytes) -> None:
    stream = Scripted(answer)
    run(parse_via(url, "--via").pass_through(Conversation(stream), "h", 7))
    assert stream.written.endswith(said)


def test_socks4_has_addresses_only() -> None:
    stream = Scripted(b"\0\x5a" + bytes(6))
    run(parse_via("socks4://joe@p", "--via").pass_through(Conversation(stream), "192.0.2.7", 7))
    assert stream.written == b"\4\1\0\7\xc0\0\2\7joe\0"


@given(st.text() | st.text().map(lambda rest: "socks5://" + rest))
def test_nothing_but_a_wrong_configuration_comes_of_any_text(text: str) -> None:
    try:
        via = parse_via(text, "--via")
    except ConfigError:
        return
    assert 0 < via.port < 65536
