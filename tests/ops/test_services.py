import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailaccess.ops.services import KNOWN, KnownService, known_service, port_of, read_port


@pytest.mark.parametrize("service", KNOWN, ids=lambda service: service.name)
def test_a_service_is_known_by_its_name(service: KnownService) -> None:
    assert known_service(service.name) is service
    assert port_of(service.name) == read_port(service.name) == service.port


def test_a_port_has_the_name_that_is_listed_first() -> None:
    names = [service.name for port in (143, 110, 465) if (service := known_service(str(port)))]
    assert names == ["imap", "pop3", "submissions"]
    assert known_service("4711") is None
    assert known_service("9" * 5000) is None


@pytest.mark.parametrize(
    ("text", "port"),
    [
        *[("0", 0), ("00143", 143), ("65535", 65535), ("65536", None), ("9" * 5000, None), ("", None)],
        *[("-", None), ("-1", None), ("imap ", None), ("imap\0", None), ("\u0663", None), ("no-such-service", None)],
    ],
)
def test_read_port(text: str, port: int | None) -> None:
    assert read_port(text) == port


@given(st.text())
def test_any_text_is_a_port_or_none(text: str) -> None:
    port = read_port(text)
    assert port is None or 0 <= port <= 65535
