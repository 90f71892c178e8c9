"""Status responses: one line, whatever the text is."""

from hypothesis import given
from hypothesis import strategies as st

from mailaccess.errors import Code
from mailaccess.imap.responses import codes, lines
from mailaccess.values import (
    ANSWERED,
    SEEN,
    UID,
    Appended,
    Copied,
    Flag,
    ModSeq,
    NumberSet,
    UIDValidity,
)


def test_tagged() -> None:
    assert lines.tagged(b"a1", "OK", None, "NOOP completed") == b"a1 OK NOOP completed\r\n"
    assert lines.tagged(b"a1", "NO", codes.code(Code.TRYCREATE), "No such mailbox") == (
        b"a1 NO [TRYCREATE] No such mailbox\r\n"
    )


def test_untagged_and_continuation() -> None:
    assert lines.untagged("BYE", None, "Logging out") == b"* BYE Logging out\r\n"
    assert lines.untagged("OK", codes.READ_ONLY, "Done") == b"* OK [READ-ONLY] Done\r\n"
    assert lines.continuation() == b"+ \r\n"
    assert lines.continuation(b"Kg==") == b"+ Kg==\r\n"


def test_text_is_one_printable_line_that_is_no_code() -> None:
    assert lines.tagged(b"a", "NO", None, "a\r\nb OK x\0\x7f") == b"a NO a b OK x \r\n"
    assert lines.tagged(b"a", "NO", None, "[ALERT] x") == b"a NO ALERT] x\r\n"
    assert lines.tagged(b"a", "NO", None, " [[x") == b"a NO x\r\n"
    assert lines.tagged(b"a", "NO", None, "") == b"a NO -\r\n"
    assert lines.tagged(b"a", "NO", None, "é") == b"a NO ?\r\n"
    assert len(lines.tagged(b"a", "NO", None, "x" * 10_000)) < 600


@given(st.text())
def test_any_text_is_one_line(text: str) -> None:
    line = lines.untagged("NO", None, text)
    assert line.endswith(b"\r\n")
    assert line[:-2].decode("ascii").isprintable()
    assert not line.startswith(b"* NO [")
    assert len(line) > len(b"* NO \r\n")


def test_codes() -> None:
    assert codes.code(None) is None
    assert codes.code(Code.UNKNOWN_CTE) == b"UNKNOWN-CTE"
    assert codes.capability(("IMAP4rev1", "IDLE")) == b"CAPABILITY IMAP4rev1 IDLE"
    assert codes.bad_charset(("US-ASCII", "UTF-8")) == b"BADCHARSET (US-ASCII UTF-8)"
    assert codes.permanent_flags((SEEN, Flag("$a"), ANSWERED), True) == rb"PERMANENTFLAGS (\Answered \Seen $a \*)"
    assert codes.permanent_flags((), False) == b"PERMANENTFLAGS ()"
    assert codes.uid_validity(UIDValidity(3)) == b"UIDVALIDITY 3"
    assert codes.uid_next(UID(4)) == b"UIDNEXT 4"
    assert codes.unseen(5) == b"UNSEEN 5"
    assert codes.highest_modseq(ModSeq(2**63 - 1)) == b"HIGHESTMODSEQ 9223372036854775807"
    assert codes.modified(NumberSet.of([7, 8, 9, 12])) == b"MODIFIED 7:9,12"
    assert codes.append_uid(Appended(UIDValidity(3), (UID(7),))) == b"APPENDUID 3 7"
    assert codes.append_uid(Appended(UIDValidity(3), (UID(7), UID(8)))) == b"APPENDUID 3 7:8"


def test_copyuid_keeps_the_order_of_both_sets() -> None:
    copied = Copied(UIDValidity(3), (UID(304), UID(319), UID(320)), (UID(3956), UID(3957), UID(3958)))
    assert codes.copy_uid(copied) == b"COPYUID 3 304,319:320 3956:3958"
    assert codes.copy_uid(Copied(UIDValidity(3), (UID(9), UID(1)), (UID(5), UID(6)))) == b"COPYUID 3 9,1 5:6"
