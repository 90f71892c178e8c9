import pytest

from mailaccess.net.sni import ServerNames

NAMES = ServerNames(
    [(("mail.example.org", "*.example.org"), "org"), (("Mail.Example.NET", "mail.example.org"), "net")], "default"
)


@pytest.mark.parametrize(
    ("name", "served"),
    [
        (None, "default"),
        (b"", "default"),
        (b"mail.example.org", "org"),
        (b"MAIL.example.ORG", "org"),
        (b"mail.example.org.", "org"),
        (b"other.example.org", "org"),
        (b"a.b.example.org", "default"),
        (b"example.org", "default"),
        (b".example.org", "default"),
        (b"*.example.org", "org"),
        (b"mail.example.net", "net"),
        (b"x.example.net", "default"),
        (b"\xff\x00", "default"),
        (b"org", "default"),
    ],
)
def test_choose(name: bytes | None, served: str) -> None:
    assert NAMES.choose(name) == served
