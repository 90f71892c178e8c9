"""What is told in which situation."""

from mailaccess.imap.capabilities import Situation, capabilities


def told(*, authenticated: bool = False, can_starttls: bool = False, passwords_allowed: bool = True) -> tuple[str, ...]:
    return capabilities(Situation(authenticated, can_starttls, passwords_allowed, ("PLAIN", "LOGIN"), 1000))


def test_before_tls() -> None:
    assert told(can_starttls=True, passwords_allowed=False) == (
        *("IMAP4rev1", "LITERAL+", "SASL-IR", "ENABLE", "ID"),
        *("STARTTLS", "LOGINDISABLED"),
    )


def test_under_tls() -> None:
    assert told() == ("IMAP4rev1", "LITERAL+", "SASL-IR", "ENABLE", "ID", "AUTH=PLAIN", "AUTH=LOGIN")


def test_where_passwords_are_allowed_in_clear() -> None:
    names = told(can_starttls=True)
    assert {"STARTTLS", "AUTH=PLAIN"} <= set(names)
    assert "LOGINDISABLED" not in names


def test_without_a_certificate_nothing_is_possible() -> None:
    names = told(passwords_allowed=False)
    assert "LOGINDISABLED" in names
    assert not any(name.startswith(("AUTH=", "STARTTLS")) for name in names)


def test_after_login() -> None:
    names = " ".join(told(authenticated=True))
    assert names == (
        "IMAP4rev1 LITERAL+ ENABLE ID IDLE NAMESPACE UIDPLUS UNSELECT MOVE CHILDREN SPECIAL-USE CREATE-SPECIAL-USE "
        "STATUS=SIZE LIST-EXTENDED LIST-STATUS ESEARCH CONDSTORE APPENDLIMIT=1000"
    )


def test_no_name_is_told_twice() -> None:
    for authenticated in (False, True):
        names = told(authenticated=authenticated, can_starttls=True)
        assert len(set(names)) == len(names)
