"""Dovecot's passwd-file, line by line; what is expected of a line was seen of Dovecot 2.3 where it has an opinion."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailaccess.auth.passwdfile import Entry, Problem, Users, parse
from mailaccess.auth.schemes import matches, verify
from mailaccess.values import Identity

MD5 = "$1$abcdefgh$oPCh2atZTtpkSEJ/jFj3q/"  # grusse


def _entry(line: str) -> Entry:
    users = parse([line])
    assert users.problems == ()
    (entry,) = users.entries.values()
    return entry


def test_every_field() -> None:
    entry = _entry(
        "joe:{PLAIN}pw:1000:100:Joe, Ltd.:/home/joe:/bin/sh:userdb_mail=maildir:~/Maildir  nice\tallow_nets=::1"
    )
    assert (entry.user, entry.scheme, entry.uid, entry.gid) == ("joe", "PLAIN", 1000, 100)
    assert (entry.gecos, entry.home, entry.shell) == ("Joe, Ltd.", "/home/joe", "/bin/sh")
    assert entry.extra == {"userdb_mail": "maildir:~/Maildir", "nice": "", "allow_nets": "::1"}
    assert entry.secret is not None
    assert matches(entry.secret, b"pw")
    assert entry.identity == Identity("joe", 1000, 100, "/home/joe", tuple(entry.extra.items()))


@pytest.mark.parametrize(
    "line", ["joe:{PLAIN}pw", "joe:{PLAIN}pw:", "joe:{plain}pw::::::", "joe:{PLAIN}pw\r\n", "joe:{PLAIN.b64}cHc="]
)
def test_all_but_name_and_secret_may_be_left_out(line: str) -> None:
    entry = _entry(line)
    assert (entry.user, entry.scheme, entry.uid, entry.gid, entry.home, entry.extra) == (
        "joe",
        "PLAIN",
        None,
        None,
        "",
        {},
    )
    assert entry.secret is not None
    assert matches(entry.secret, b"pw")


def test_a_secret_without_scheme_is_crypt() -> None:
    entry = _entry(f"joe:{MD5}:1000")
    assert entry.scheme == "CRYPT"
    assert entry.secret is not None
    assert matches(entry.secret, b"grusse")
    assert parse(["joe:pw"]).problems  # and no plain text


@pytest.mark.parametrize("line", ["joe:", "joe:!", f"joe:!{MD5}", "joe:*:1000:1000", "joe:{PLAIN}", "joe:{CRYPT}*LK*"])
def test_a_locked_account_is_there_and_has_no_secret(line: str) -> None:
    assert _entry(line).secret is None


@pytest.mark.parametrize("line", ["", "\n", "\r\n", "#", "# joe:{PLAIN}pw", "#joe:{PLAIN}pw"])
def test_lines_that_say_nothing(line: str) -> None:
    assert parse([line]) == Users({})


@pytest.mark.parametrize(
    "line",
    [
        "joe",
        ":{PLAIN}pw",
        ".joe:{PLAIN}pw",
        "joe/x:{PLAIN}pw",
        "joe@..:{PLAIN}pw",
        "j\0oe:{PLAIN}pw",
        "joe:{PLAIN}p\0w",
        "joe:{PLAIN}p\x1bw",
        "joe\udcff:{PLAIN}pw",
        "joe:{ROT13}cj",
        "joe:{PLAIN",
        "joe:{SHA}!",
        "joe:{PLAIN}pw:root:root",
        "joe:{PLAIN}pw:-1",
        "joe:{PLAIN}pw:4294967295",
        "joe:{PLAIN}pw:1000:٣",
        "joe:{PLAIN}pw::::::allow_nets=somewhere",
        "joe:{PLAIN}pw::::::allow_nets=",
    ],
)
def test_a_line_that_is_not_right_is_left_out(line: str) -> None:
    users = parse(["ann:{PLAIN}pw", line, "bob:{PLAIN}pw"])
    assert list(users.entries) == ["ann", "bob"]
    (problem,) = users.problems
    assert problem.line == 2
    assert problem.text
    assert "pw" not in problem.text.replace("password", "")


def test_the_first_line_for_a_user_counts() -> None:
    users = parse(["joe:{PLAIN}first", "# joe", "joe:{PLAIN}second"])
    secret = users.entries["joe"].secret
    assert secret is not None
    assert matches(secret, b"first")
    assert users.problems == (Problem(3, "this user stands in the file already; the first line counts"),)


def test_users_differ_by_case() -> None:
    assert list(parse(["joe:{PLAIN}a", "Joe:{PLAIN}b"]).entries) == ["joe", "Joe"]


def test_octets_of_a_secret_survive() -> None:
    line = b"joe:{PLAIN}p\xffw".decode("utf-8", "surrogateescape")
    secret = _entry(line).secret
    assert secret is not None
    assert matches(secret, b"p\xffw")


def test_the_old_form_of_where_mail_lies() -> None:
    assert _entry("joe:{PLAIN}pw:1:1::/home/joe:/bin/sh::mbox:~/x:INBOX").extra == {"userdb_mail": "mbox:~/x:INBOX"}
    assert _entry("joe:{PLAIN}pw:1:1::/home/joe:/bin/sh::").extra == {}


@pytest.mark.parametrize(
    ("networks", "host", "admitted"),
    [
        ("192.0.2.0/24", "192.0.2.9", True),
        ("192.0.2.0/24", "192.0.3.9", False),
        ("192.0.2.0/24", "::ffff:192.0.2.9", True),
        ("192.0.2.7/24", "192.0.2.9", True),
        ("10.0.0.1,::1/128", "::1", True),
        ("10.0.0.1,::1/128", "10.0.0.1", True),
        ("10.0.0.1,::1/128", "10.0.0.2", False),
        ("fe80::/10", "fe80::1%eth0", True),
        ("local", "127.0.0.1", False),
        ("local,127.0.0.0/8", "127.0.0.1", True),
        ("0.0.0.0/0", "", False),
        ("0.0.0.0/0", "/run/imap", False),
        ("0.0.0.0/0", "2001:db8::1", False),
    ],
)
def test_networks(networks: str, host: str, admitted: bool) -> None:
    assert _entry(f"joe:{{PLAIN}}pw::::::allow_nets={networks}").admits(host) is admitted


def test_without_networks_anybody_may_come() -> None:
    assert _entry("joe:{PLAIN}pw").admits("")


def test_nologin() -> None:
    assert _entry("joe:{PLAIN}pw").may_log_in
    assert not _entry("joe:{PLAIN}pw::::::nologin").may_log_in
    assert not _entry("joe:{PLAIN}pw::::::nologin=y").may_log_in


def test_no_secret_is_shown() -> None:
    assert "hunter2" not in repr(_entry("joe:{PLAIN}hunter2"))


@given(st.lists(st.text(st.characters(exclude_characters="\n")) | st.text(":{}PLAIN#joe 0\r", max_size=20)))
def test_any_lines_are_read(lines: list[str]) -> None:
    users = parse(lines)
    assert len(users.entries) + len(users.problems) <= len(lines)
    assert all(entry.user == name for name, entry in users.entries.items())
    assert [problem.line for problem in users.problems] == sorted({problem.line for problem in users.problems})


@given(
    st.text("abc@+-ü ", min_size=1, max_size=8).filter(lambda name: all(name.split("@"))),
    st.text("xyz{}$ü#", min_size=1, max_size=12),
)
def test_what_is_written_is_read(user: str, password: str) -> None:
    entry = parse([f"{user}:{{CLEAR}}{password}"]).entries[user]
    assert entry.secret is not None
    assert matches(entry.secret, password.encode())
    assert verify(password.encode(), f"{{CLEAR}}{password}")
