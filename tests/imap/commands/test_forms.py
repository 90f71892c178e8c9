"""Every command in good and bad forms, each in one line: what is asked, and how the reply begins (RFC 9051 §6)."""

import pytest

from mailaccess.imap.dispatch import VERBS
from tests.imap.conftest import Connect
from tests.imap.scripted import message

BEFORE_LOGIN = [
    ("CAPABILITY", "OK"),
    ("CAPABILITY x", "BAD"),
    ("NOOP", "OK"),
    ("NOOP x", "BAD"),
    ('ID ("name" "test" "version" NIL)', "OK"),
    ("ID NIL", "OK"),
    ("ID name", "BAD"),
    ("STARTTLS", "BAD"),
    ("LOGIN joe", "BAD"),
    ("LOGIN joe secret x", "BAD"),
    ("LOGIN joe wrong", "NO [AUTHENTICATIONFAILED]"),
    ('LOGIN "joe" "secret"', "OK [CAPABILITY"),
    ("AUTHENTICATE", "BAD"),
    ("AUTHENTICATE CRAM-MD5", "NO [CANNOT]"),
    ("AUTHENTICATE PLAIN !", "BAD"),
    ("AUTHENTICATE PLAIN =", "NO [AUTHENTICATIONFAILED]"),
    ("AUTHENTICATE PLAIN AGpvZQBzZWNyZXQ=", "OK [CAPABILITY"),
    ("SELECT INBOX", "BAD"),
    ("ENABLE CONDSTORE", "BAD"),
    ("IDLE", "BAD"),
    ("FETCH 1 UID", "BAD"),
    ("UID FETCH 1 UID", "BAD"),
    ("LOGOUT", "OK"),
    ("LOGOUT x", "BAD"),
    ("XYZZY", "BAD"),
    ("UID", "BAD"),
    ("UID NOOP", "BAD"),
]

AFTER_LOGIN = [
    ("LOGIN joe secret", "BAD"),
    ("AUTHENTICATE PLAIN", "BAD"),
    ("STARTTLS", "BAD"),
    ("ENABLE CONDSTORE", "OK"),
    ("ENABLE", "BAD"),
    ("ENABLE UTF8=ACCEPT", "OK"),
    ("NAMESPACE", "OK"),
    ("NAMESPACE x", "BAD"),
    ("SELECT INBOX", "OK [READ-WRITE]"),
    ("SELECT inbox (CONDSTORE)", "OK [READ-WRITE]"),
    ("SELECT nowhere", "NO [NONEXISTENT]"),
    ("SELECT", "BAD"),
    ('SELECT ""', "NO [CANNOT]"),
    ("EXAMINE INBOX", "OK [READ-ONLY]"),
    ("EXAMINE INBOX x", "BAD"),
    ("CREATE Work", "OK"),
    ("CREATE Work.", "OK"),
    ("CREATE", "BAD"),
    ("CREATE INBOX", "NO [ALREADYEXISTS]"),
    ("CREATE a..b", "NO [CANNOT]"),
    ("CREATE Sent (USE (\\Sent))", "OK"),
    ("CREATE Odd (USE (\\Odd))", "NO [USEATTR]"),
    ("DELETE nowhere", "NO [NONEXISTENT]"),
    ("DELETE INBOX", "NO [CANNOT]"),
    ("DELETE", "BAD"),
    ("RENAME nowhere there", "NO [NONEXISTENT]"),
    ("RENAME INBOX Old", "OK"),
    ("RENAME a", "BAD"),
    ("SUBSCRIBE nowhere", "OK"),
    ("SUBSCRIBE", "BAD"),
    ("UNSUBSCRIBE nowhere", "OK"),
    ("UNSUBSCRIBE", "BAD"),
    ('LIST "" *', "OK"),
    ("LIST", "BAD"),
    ('LIST (SUBSCRIBED RECURSIVEMATCH) "" ("*" "%") RETURN (CHILDREN STATUS (MESSAGES))', "OK"),
    ('LIST (RECURSIVEMATCH) "" *', "BAD"),
    ('LSUB "" *', "OK"),
    ('LSUB ""', "BAD"),
    ("STATUS INBOX (MESSAGES UNSEEN RECENT UIDNEXT UIDVALIDITY SIZE DELETED HIGHESTMODSEQ APPENDLIMIT)", "OK"),
    ("STATUS INBOX ()", "BAD"),
    ("STATUS INBOX (ODD)", "BAD"),
    ("STATUS nowhere (MESSAGES)", "NO [NONEXISTENT]"),
    ("APPEND INBOX {3+}\r\nabc", "OK [APPENDUID"),
    ("APPEND INBOX (\\Seen) {3+}\r\nabc", "OK [APPENDUID"),
    ("APPEND INBOX (\\Recent) {3+}\r\nabc", "BAD"),
    ('APPEND INBOX "31-Feb-2026 10:00:00 +0000" {3+}\r\nabc', "BAD"),
    ("APPEND nowhere {3+}\r\nabc", "NO [TRYCREATE]"),
    ("APPEND INBOX", "BAD"),
    ("IDLE x", "BAD"),
    ("FETCH 1 UID", "BAD"),
    ("CLOSE", "BAD"),
    ("UNSELECT", "BAD"),
    ("CHECK", "BAD"),
    ("UID EXPUNGE 1", "BAD"),
]

SELECTED = [
    ("CHECK", "OK"),
    ("CHECK x", "BAD"),
    ("CLOSE", "OK"),
    ("CLOSE x", "BAD"),
    ("UNSELECT", "OK"),
    ("UNSELECT x", "BAD"),
    ("EXPUNGE", "OK"),
    ("EXPUNGE 1", "BAD"),
    ("UID EXPUNGE 1:*", "OK"),
    ("UID EXPUNGE", "BAD"),
    ("SEARCH ALL", "OK"),
    ("SEARCH CHARSET UTF-8 ALL", "OK"),
    ("SEARCH CHARSET KLINGON ALL", "NO [BADCHARSET (US-ASCII UTF-8"),
    ("SEARCH RETURN (MIN MAX COUNT ALL) UNSEEN", "OK"),
    ("SEARCH", "BAD"),
    ("SEARCH ODD", "BAD"),
    ("SEARCH 3", "BAD"),
    ("SEARCH " + "(" * 200 + "ALL" + ")" * 200, "NO [LIMIT]"),
    ("UID SEARCH UID 1:* NOT DELETED OR SUBJECT one TEXT x", "OK"),
    ("FETCH 1:2 FULL", "OK"),
    ("FETCH 1 (UID BODY.PEEK[1.MIME] BODYSTRUCTURE)", "OK"),
    ("FETCH 3 UID", "BAD"),
    ("FETCH 0 UID", "BAD"),
    ("FETCH 1, UID", "BAD"),
    ("FETCH 1", "BAD"),
    ("FETCH 1 (ODD)", "BAD"),
    ("FETCH 1 (ALL)", "BAD"),
    ("FETCH 1 BODY[]<0>", "BAD"),
    ("UID FETCH 4711:* FLAGS", "OK"),
    ("UID FETCH 99999999999999999999 FLAGS", "BAD"),
    ("STORE 1 +FLAGS (\\Seen)", "OK"),
    ("STORE 1 FLAGS \\Seen \\Deleted", "OK"),
    ("STORE 1 FLAGS", "BAD"),
    ("STORE 1 +FLAGS (\\Recent)", "BAD"),
    ("STORE 3 +FLAGS (\\Seen)", "BAD"),
    ("STORE 1 (UNCHANGEDSINCE 0) +FLAGS (\\Seen)", "OK [MODIFIED 1]"),
    ("UID STORE 4711 +FLAGS (\\Seen)", "OK"),
    ("COPY 1 INBOX", "OK [COPYUID"),
    ("COPY 1 nowhere", "NO [TRYCREATE]"),
    ("COPY 3 INBOX", "BAD"),
    ("COPY 1", "BAD"),
    ("UID COPY 4711 INBOX", "OK"),
    ("MOVE 1 nowhere", "NO [TRYCREATE]"),
    ("UID MOVE 1", "BAD"),
    ("SELECT nowhere", "NO [NONEXISTENT]"),
    ("STATUS INBOX (MESSAGES)", "OK"),
]


@pytest.mark.parametrize(("command", "reply"), BEFORE_LOGIN)
def test_before_login(connect: Connect, command: str, reply: str) -> None:
    assert connect().reply(command).decode().startswith(reply)


@pytest.mark.parametrize(("command", "reply"), AFTER_LOGIN)
def test_after_login(connect: Connect, command: str, reply: str) -> None:
    assert connect().login().reply(command).decode().startswith(reply)


@pytest.mark.parametrize(("command", "reply"), SELECTED)
def test_with_a_mailbox_selected(connect: Connect, command: str, reply: str) -> None:
    client = connect().login("INBOX")
    client.append(message("one"))
    client.append(message("two"))
    assert client.reply(command).decode().startswith(reply)


@pytest.mark.parametrize("change", ["STORE 1 +FLAGS (\\Seen)", "EXPUNGE", "UID EXPUNGE 1", "MOVE 1 INBOX"])
def test_nothing_changes_after_examine(connect: Connect, change: str) -> None:
    client = connect().login()
    client.append(message("one"))
    client.reply("EXAMINE INBOX")
    assert client.reply(change).startswith(b"NO [NOPERM] ")


def test_every_verb_is_in_the_tables() -> None:
    tried = {command.upper() for table in (BEFORE_LOGIN, AFTER_LOGIN, SELECTED) for command, _ in table}
    missing = {verb for verb in VERBS if not any(f"{command} ".startswith(verb.decode() + " ") for command in tried)}
    assert missing == set()
