"""What a server, an account or a mailbox is: untagged data (RFC 9051 §7.2 to §7.4)."""

from collections.abc import Iterable, Mapping, Sequence

from mailaccess.imap.responses.flags import ordered
from mailaccess.imap.responses.strings import mailbox_name, number_set
from mailaccess.message.quoting import string
from mailaccess.values import Flag, ModSeq


def capability(names: Iterable[str]) -> bytes:
    """``* CAPABILITY …`` (RFC 9051 §7.2.2)."""
    return b"* CAPABILITY %b\r\n" % " ".join(names).encode("ascii")


def enabled(names: Iterable[str]) -> bytes:
    """``* ENABLED …``, which may name nothing (RFC 9051 §7.2.1)."""
    return b"* ENABLED%b\r\n" % b"".join(b" " + name.encode("ascii") for name in names)


def identification(fields: Mapping[str, str]) -> bytes:
    """``* ID ("name" "mailaccess" …)``, NIL for none (RFC 2971 §3.2)."""
    pairs = b" ".join(string(text.encode("utf-8")) for pair in fields.items() for text in pair)
    return b"* ID (%b)\r\n" % pairs if pairs else b"* ID NIL\r\n"


def namespace(separator: str) -> bytes:
    """``* NAMESPACE``: one personal namespace, without a prefix (RFC 9051 §7.3.2)."""
    return b'* NAMESPACE (("" %b)) NIL NIL\r\n' % string(separator.encode("ascii"))


def flags(items: Iterable[Flag]) -> bytes:
    """``* FLAGS (…)``: those in use in a mailbox (RFC 9051 §7.3.5)."""
    return b"* FLAGS (%b)\r\n" % b" ".join(ordered(items))


def exists(count: int) -> bytes:
    """``* n EXISTS`` (RFC 9051 §7.4.1)."""
    return b"* %d EXISTS\r\n" % count


def recent(count: int) -> bytes:
    """``* n RECENT`` (RFC 3501 §7.3.2)."""
    return b"* %d RECENT\r\n" % count


def expunge(numbers: Iterable[int]) -> bytes:
    """``* n EXPUNGE``, a line for each, in this order (RFC 9051 §7.5.1)."""
    return b"".join([b"* %d EXPUNGE\r\n" % number for number in numbers])


def list_line(
    name: str,
    attributes: Sequence[str],
    separator: str | None,
    *,
    child_info: Sequence[str] = (),
    lsub: bool = False,
    utf8: bool = False,
) -> bytes:
    """``* LIST (attributes) "/" name``, or LSUB (RFC 9051 §7.3.1, RFC 3501 §7.2.3).

    ``child_info`` are the selection options that children matched: RECURSIVEMATCH's CHILDINFO (RFC 5258 §3.5).
    """
    # mailbox-list = "(" [mbx-list-flags] ")" SP (DQUOTE QUOTED-CHAR DQUOTE / nil) SP mailbox [SP mbox-list-extended]
    # childinfo-extended-item = "CHILDINFO" SP "(" list-select-base-opt-quoted *(SP list-select-base-opt-quoted) ")"
    return b"* %b (%b) %b %b%b\r\n" % (
        b"LSUB" if lsub else b"LIST",
        " ".join(attributes).encode("ascii"),
        b"NIL" if separator is None else string(separator.encode("ascii")),
        mailbox_name(name, utf8),
        b' ("CHILDINFO" (%b))' % b" ".join(string(option.encode("ascii")) for option in child_info)
        if child_info
        else b"",
    )


def status(name: str, values: Mapping[str, int | None], utf8: bool = False) -> bytes:
    """``* STATUS name (item n …)``; a value of None is NIL, as APPENDLIMIT may be (RFC 9051 §7.3.4, RFC 7889 §4)."""
    items = [
        b"%b %b" % (item.encode("ascii"), b"NIL" if value is None else b"%d" % value) for item, value in values.items()
    ]
    return b"* STATUS %b (%b)\r\n" % (mailbox_name(name, utf8), b" ".join(items))


def search(numbers: Iterable[int], modseq: ModSeq | None = None) -> bytes:
    """``* SEARCH 2 3 6``, with the highest MODSEQ where it was searched for (RFC 9051 §7.3.7, RFC 7162 §3.1.5).

    Without a number there is no MODSEQ either.
    """
    found = b"".join([b" %d" % number for number in numbers])
    suffix = b" (MODSEQ %d)" % modseq if modseq is not None and found else b""
    return b"* SEARCH%b%b\r\n" % (found, suffix)


def esearch(
    tag: bytes,
    uid: bool,
    *,
    minimum: int | None = None,
    maximum: int | None = None,
    every: Sequence[int] | None = None,
    count: int | None = None,
    modseq: ModSeq | None = None,
) -> bytes:
    """``* ESEARCH (TAG "a1") UID MIN 1 ALL 1:3 COUNT 3 MODSEQ 9`` (RFC 9051 §7.3.8, RFC 4731 §3.1, §3.2).

    What is None, and ALL where it is empty, is left out.
    """
    # A tag has neither quotes nor backslashes.
    parts = [b'* ESEARCH (TAG "%b")' % tag]
    if uid:
        parts.append(b"UID")
    if every:
        parts.append(b"ALL " + number_set(every))
    numbers = ((b"MIN", minimum), (b"MAX", maximum), (b"COUNT", count), (b"MODSEQ", modseq))
    parts.extend(b"%b %d" % (name, value) for name, value in numbers if value is not None)
    return b" ".join(parts) + b"\r\n"
