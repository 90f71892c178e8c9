"""What a mailbox, an account or a server is: untagged data (RFC 9051 §7.2 to §7.4)."""

from collections.abc import Iterable, Mapping, Sequence

from mailaccess.values import Flag, ModSeq


def capability(names: Iterable[str]) -> bytes: raise NotImplementedError
def enabled(names: Iterable[str]) -> bytes: raise NotImplementedError
def identification(fields: Mapping[str, str]) -> bytes: raise NotImplementedError  # ID
def namespace(separator: str) -> bytes: raise NotImplementedError  # one personal namespace with prefix ""
def flags(items: Iterable[Flag]) -> bytes: raise NotImplementedError  # * FLAGS (...)
def exists(count: int) -> bytes: raise NotImplementedError
def recent(count: int) -> bytes: raise NotImplementedError
def expunge(numbers: Iterable[int]) -> bytes: raise NotImplementedError  # one line each, in this order
def list_line(name: str, attributes: Sequence[str], separator: str | None, *, child_info: Sequence[str] = (), lsub: bool = False, utf8: bool = False) -> bytes: raise NotImplementedError
def status(name: str, values: Mapping[str, int | None], utf8: bool = False) -> bytes: raise NotImplementedError  # None: NIL
def search(numbers: Sequence[int], modseq: ModSeq | None = None) -> bytes: raise NotImplementedError
def esearch(tag: bytes, uid: bool, *, minimum: int | None = None, maximum: int | None = None, every: Sequence[int] | None = None, count: int | None = None, modseq: ModSeq | None = None) -> bytes: raise NotImplementedError
