"""ENVELOPE on the wire."""

from mailaccess.message.envelope import envelope


def test_the_example_of_the_rfc() -> None:
    header = (
        b"Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\r\n"
        b"From: Terry Gray <gray@cac.washington.edu>\r\n"
        b"Subject: IMAP4rev2 WG mtg summary and minutes\r\n"
        b"To: imap@cac.washington.edu\r\n"
        b"cc: minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>\r\n"
        b"Message-Id: <B27397-0100000@cac.washington.edu>\r\n\r\n"
    )
    gray = b'(("Terry Gray" NIL "gray" "cac.washington.edu"))'
    assert envelope(header) == (
        b'("Wed, 17 Jul 1996 02:23:25 -0700 (PDT)" "IMAP4rev2 WG mtg summary and minutes" '
        + b" ".join([gray, gray, gray])
        + b' ((NIL NIL "imap" "cac.washington.edu"))'
        b' ((NIL NIL "minutes" "CNRI.Reston.VA.US")("John Klensin" NIL "KLENSIN" "MIT.EDU")) NIL NIL'
        b' "<B27397-0100000@cac.washington.edu>")'
    )


def test_nothing_is_nil() -> None:
    assert envelope(b"") == envelope(b"\r\n") == b"(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)"


def test_empty_text_is_an_empty_string_and_an_empty_list_is_nil() -> None:
    assert envelope(b"Date:\r\nSubject: \r\nTo:\r\nCc: ,\r\nMessage-Id:\r\n\r\n") == (
        b'("" "" NIL NIL NIL NIL NIL NIL NIL "")'
    )


def test_sender_and_reply_to_default_to_from() -> None:
    a, b = b'((NIL NIL "a" "x"))', b'((NIL NIL "b" "x"))'
    assert envelope(b"From: a@x\r\nSender:\r\nReply-To: b@x\r\n") == b"(NIL NIL %b %b %b NIL NIL NIL NIL NIL)" % (
        a,
        a,
        b,
    )


def test_the_first_of_several_fields_counts() -> None:
    assert envelope(b"Subject: one\r\nSubject: two\r\n\r\n") == b'(NIL "one" NIL NIL NIL NIL NIL NIL NIL NIL)'


def test_folds_are_one_space() -> None:
    assert envelope(b"Subject: one \r\n \t two\r\n\r\n") == b'(NIL "one two" NIL NIL NIL NIL NIL NIL NIL NIL)'


def test_bare_8_bit_text_goes_out_as_it_is() -> None:
    assert b"{4}\r\ncaf\xe9" in envelope(b"Subject: caf\xe9\r\n\r\n")


def test_groups_and_what_is_missing() -> None:
    assert b'((NIL NIL "list" NIL)(NIL NIL "joe" "MISSING_DOMAIN")(NIL NIL NIL NIL))' in envelope(
        b"To: list: joe;\r\n\r\n"
    )
    assert b'(("Nobody" NIL "MISSING_MAILBOX" "MISSING_DOMAIN"))' in envelope(b"To: Nobody <>\r\n\r\n")
    assert b'((NIL "@a,@b" "c" "d"))' in envelope(b"To: <@a,@b:c@d>\r\n\r\n")
