"""FETCH (RFC 9051 §7.5.2)."""

from collections.abc import Iterable, Sequence

from mailaccess.values import Flags, ModSeq


def flag_list(flags: Flags, recent: bool = False) -> bytes: raise NotImplementedError  # (\\Seen $Label1), cached per frozenset
def internal_date(epoch: int) -> bytes: raise NotImplementedError  # " 1-Feb-2026 10:00:00 +0000" with quotes
def modseq(value: ModSeq) -> bytes: raise NotImplementedError  # MODSEQ (n)
def fetch(number: int, parts: Sequence[bytes]) -> bytes: raise NotImplementedError  # * n FETCH (parts)
def literal_header(label: bytes, size: int) -> bytes: raise NotImplementedError  # BODY[] {n}CRLF: the octets follow
def section(label: bytes, data: bytes | None) -> bytes: raise NotImplementedError  # BODY[1] {n}CRLF data, or NIL
def flags_bulk(rows: Iterable[tuple[int, int, Flags]]) -> bytes: raise NotImplementedError  # (number, UID, flags): many lines at once
