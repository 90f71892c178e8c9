"""Time is linear in the size of what comes in, whatever it is (the classes of CVE-2020-12100 and CVE-2024-23184).

Each input is measured at one size and at eight times that size. Linear code takes about 8 times as long, quadratic code
64 times; the line is drawn at 28, and the shortest of three runs counts, so that a busy machine fails nothing.
"""

from collections.abc import Callable
from time import process_time

import pytest

from mailaccess.message.addresses import addresses
from mailaccess.message.bodystructure import body
from mailaccess.message.dates import parse as parse_date
from mailaccess.message.envelope import envelope
from mailaccess.message.headers import decode, fields, first, select, unfold
from mailaccess.message.lexical import without_comments
from mailaccess.message.media import disposition, media_type
from mailaccess.message.structure import parse
from mailaccess.message.text import header_text, searchable


def described(message: bytes) -> bytes:
    root = parse(message)
    return body(message, root, True) + envelope(message[: root.body])


def search(message: bytes) -> int:
    return sum(map(len, searchable(message)))


MIXED = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
NESTED = b"Content-Type: multipart/mixed; boundary=%d\r\n\r\n--%d\r\n"

# What is called, the input for a size, and the smaller size.
CASES: dict[str, tuple[Callable[[bytes], object], Callable[[int], bytes], int]] = {
    "header lines": (described, lambda n: b"X: y\r\n" * n, 30_000),
    "header lines without colon": (described, lambda n: b"From: a\r\n" + b"xxxxxxxx\r\n" * n, 20_000),
    "a line without colon": (described, lambda n: b"x" * n, 1_000_000),
    "folds": (described, lambda n: b"Subject: x\r\n" + b" x\r\n" * n, 20_000),
    "empty folds": (described, lambda n: b"To: x\r\n" + b" \t\r\n" * n, 20_000),
    "address fields": (described, lambda n: b"To: a@b\r\n" * n, 20_000),
    "addresses": (addresses, lambda n: b"a@b," * n, 3_000),
    "an address of spaces": (addresses, lambda n: b"a" + b" " * n + b"b", 30_000),
    "groups": (addresses, lambda n: b"g:" * n, 2_000),
    "group ends": (addresses, lambda n: b"g:;" * n, 2_000),
    "open brackets": (addresses, lambda n: b"<" * n, 3_000),
    "routes": (addresses, lambda n: b"<@a," * n, 2_000),
    "quotes": (addresses, lambda n: b'"\\"' * n, 3_000),
    "escaped quotes": (addresses, lambda n: b'"' + b'\\"' * n, 3_000),
    "open comments": (addresses, lambda n: b"(a" * n, 3_000),
    "nested comments": (addresses, lambda n: b"(" * n + b")" * n + b"a@b", 3_000),
    "open literals": (addresses, lambda n: b"[" * n, 3_000),
    "at signs": (addresses, lambda n: b"@" * n, 3_000),
    "dots": (addresses, lambda n: b"a . " * n + b"@b", 3_000),
    "comments": (without_comments, lambda n: b" (" * n, 5_000),
    "comments and quotes": (without_comments, lambda n: b'"\\"(\\"' * n, 5_000),
    "comments and escaped quotes": (without_comments, lambda n: b'(a) "' + b'\\"' * n, 5_000),
    "a date": (parse_date, lambda n: b" " * n + b"1 Jan 2024", 300_000),
    "encoded words": (decode, lambda n: b"=?a?q?x?= " * n, 3_000),
    "broken encoded words": (decode, lambda n: b"=?a?q?" * n, 10_000),
    "words without end": (decode, lambda n: b"=?" * n, 10_000),
    "parameters": (media_type, lambda n: b"a/b" + b";c=d" * n, 3_000),
    "sections": (media_type, lambda n: b"a/b" + b"".join(b";n%d*0=x" % k for k in range(n)), 2_000),
    "sections of one name": (media_type, lambda n: b"a/b" + b";n*0*=%41;n*1=x" * n, 1_500),
    "stars": (media_type, lambda n: b"a/b;" + b"*" * n + b"=x", 20_000),
    "semicolons": (media_type, lambda n: b";" * n, 20_000),
    "values without end": (disposition, lambda n: b"a" + b';b="\\"' * n, 3_000),
    "a name without value": (disposition, lambda n: b"a;" + b"b" * n, 20_000),
    "spaces": (disposition, lambda n: b"a;" + b" " * n + b"b", 20_000),
    "unfolding": (unfold, lambda n: b" " * n + b"\r\n" + b" " * n + b"x", 300_000),
    "fields": (fields, lambda n: b"a:\r\n" * n, 10_000),
    "first": (lambda header: first(header, b"zz"), lambda n: b"a:\r\n" * n, 200_000),
    "select": (lambda header: select(header, [b"a", b"b"]), lambda n: b"a:\r\n" * n, 10_000),
    "select the others": (lambda header: select(header, [b"a"], True), lambda n: b"a:\r\nb:\r\n" * n, 10_000),
    "select many": (lambda header: select(header, [b"%d" % k for k in range(99)]), lambda n: b"a:\r\n" * n, 10_000),
    "header text": (header_text, lambda n: b"a: b\r\n" * n, 10_000),
    "parts": (described, lambda n: MIXED + b"--b\r\n\r\n" * n, 1_200),
    "parts beyond the limit": (described, lambda n: MIXED + b"--b\r\n\r\n" * n, 100_000),
    "parts without empty lines": (described, lambda n: MIXED + b"--b\r\nX: y\r\n" * n, 1_200),
    "dashes in a header": (described, lambda n: MIXED + b"--b\r\n" + b"--x\r\n" * n, 20_000),
    "dashes in a body": (described, lambda n: MIXED + b"--b\r\n\r\n" + b"--x\r\n" * n, 20_000),
    "a deep tree around text": (
        described,
        lambda n: b"".join(NESTED % (k, k) for k in range(99)) + b"\r\n" + b"text\r\n" * n,
        100_000,
    ),
    "messages around text": (
        described,
        lambda n: b"Content-Type: message/rfc822\r\n\r\n" * 99 + b"\r\n" + b"text\r\n" * n,
        100_000,
    ),
    "embedded messages": (
        described,
        lambda n: MIXED + b"--b\r\nContent-Type: message/rfc822\r\n\r\nX: y\r\n\r\n" * n,
        600,
    ),
    "nested multiparts": (described, lambda n: b"".join(NESTED % (k, k) for k in range(n)), 1_000),
    "text to search": (search, lambda n: MIXED + b"--b\r\n\r\ntext\r\n" * n, 1_200),
}


def seconds(function: Callable[[bytes], object], data: bytes) -> float:
    shortest = float("inf")
    for _ in range(3):
        begin = process_time()
        function(data)
        shortest = min(shortest, process_time() - begin)
    return shortest


@pytest.mark.parametrize("case", CASES)
def test_time_is_linear(case: str) -> None:
    function, make, size = CASES[case]
    assert seconds(function, make(8 * size)) < 28 * seconds(function, make(size)) + 0.002
