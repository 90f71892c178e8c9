"""What the other side said, as the log has it."""

from hypothesis import given
from hypothesis import strategies as st

from mailaccess.tunnel.faults import shown


@given(st.binary(max_size=500))
def test_what_the_log_shows_of_what_was_said_is_one_short_line(said: bytes) -> None:
    text = shown(said)
    assert text.isascii()
    assert text.isprintable()
    assert len(text) <= 500


def test_a_printable_line_is_shown_as_it_is() -> None:
    assert shown(b"-ERR [SYS/TEMP] later\r\n") == "'-ERR [SYS/TEMP] later'"
