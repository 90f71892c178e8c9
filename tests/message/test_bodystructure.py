"""BODY and BODYSTRUCTURE on the wire."""

import pytest

from mailaccess.message.bodystructure import body
from mailaccess.message.structure import parse


def extended(text: str) -> bytes:
    message = text.replace("\n", "\r\n").encode("latin-1")
    return body(message, parse(message), True)


def basic(text: str) -> bytes:
    message = text.replace("\n", "\r\n").encode("latin-1")
    return body(message, parse(message), False)


def test_a_simple_message() -> None:
    assert basic("Content-Type: TEXT/PLAIN; CHARSET=US-ASCII\n\none\n") == (
        b'("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7bit" 5 1)'
    )


def test_text_without_a_charset_is_us_ascii() -> None:
    assert basic("\none") == b'("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 3 0)'
    assert basic("Content-Type: text/html; x=y\n\n") == (
        b'("text" "html" ("charset" "us-ascii" "x" "y") NIL NIL "7bit" 0 0)'
    )


def test_a_content_type_without_a_subtype_is_text_plain() -> None:
    assert basic("Content-Type: text\n\n") == b'("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0)'


def test_other_media_have_no_lines() -> None:
    assert basic("Content-Type: image/png\n\none\n") == b'("image" "png" NIL NIL NIL "7bit" 5)'


def test_a_multipart() -> None:
    text = (
        'Content-Type: multipart/mixed; boundary="b b"\nContent-Language: de\n\n--b b\n\none\n--b b\n'
        "Content-Type: image/png\nContent-ID: <1>\nContent-Description: a cat\nContent-Transfer-Encoding: BASE64\n"
        "Content-MD5: x\nContent-Disposition: attachment; filename=cat.png\nContent-Language: de, en\n"
        "Content-Location: cat\n\nAAAA\n--b b--\n"
    )
    plain = b'("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 3 0'
    image = b'("image" "png" NIL "<1>" "a cat" "BASE64" 4'
    assert basic(text) == b"(" + plain + b")" + image + b') "mixed")'
    assert extended(text) == (
        b"(" + plain + b" NIL NIL NIL NIL)" + image + b' "x" ("attachment" ("filename" "cat.png")) ("de" "en") "cat")'
        b' "mixed" ("boundary" "b b") NIL "de" NIL)'
    )


def test_an_embedded_message_has_its_envelope() -> None:
    text = "Content-Type: message/rfc822\nContent-Disposition: inline\n\nSubject: x\n\none\n"
    inside = b'(NIL "x" NIL NIL NIL NIL NIL NIL NIL NIL) ("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 5 1'
    assert basic(text) == b'("message" "rfc822" NIL NIL NIL "7bit" 19 ' + inside + b") 3)"
    assert extended(text) == (
        b'("message" "rfc822" NIL NIL NIL "7bit" 19 ' + inside + b' NIL NIL NIL NIL) 3 NIL ("inline" NIL) NIL NIL)'
    )


def test_what_cannot_be_quoted_is_a_literal() -> None:
    assert b'("name" {4}\r\ncaf\xe9)' in basic("Content-Type: image/png; name=caf\xe9\n\n")


@pytest.mark.parametrize("is_extended", [True, False])
def test_deep_nesting_needs_no_recursion(is_extended: bool) -> None:
    message = b"Content-Type: message/rfc822\r\n\r\n" * 500
    wire = body(message, parse(message), is_extended)
    assert wire.count(b'"message" "rfc822"') == 99
