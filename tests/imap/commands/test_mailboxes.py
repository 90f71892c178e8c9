"""What CREATE, CLOSE, STATUS, NAMESPACE, ENABLE and ID say beside their replies."""

import pytest

from tests.imap.conftest import Connect
from tests.imap.scripted import Client, message


@pytest.mark.parametrize(
    ("command", "line"),
    [
        ("NAMESPACE", b'* NAMESPACE (("" ".")) NIL NIL'),
        ("ENABLE UTF8=ACCEPT", b"* ENABLED"),
        ("ENABLE condstore qresync", b"* ENABLED CONDSTORE"),
        ("ID NIL", b'* ID ("name" "mailaccess")'),
        ('LIST "" ""', b'* LIST (\\Noselect) "." ""'),
        ("STATUS INBOX (MESSAGES SIZE APPENDLIMIT)", b"* STATUS INBOX (MESSAGES 0 SIZE 0 APPENDLIMIT 104857600)"),
    ],
)
def test_one_line(connect: Connect, command: str, line: bytes) -> None:
    assert connect().login().ask(command) == [line, connect().login().reply(command)]


def test_names_are_modified_utf7(connect: Connect) -> None:
    client = connect().login()
    assert client.reply("CREATE &AMQ-rger.J&AOQ-nner").startswith(b"OK")
    assert b'* LIST (\\HasNoChildren) "." &AMQ-rger.J&AOQ-nner' in client.ask('LIST "" *')
    assert client.reply("STATUS &AMQ-rger.J&AOQ-nner (MESSAGES)").startswith(b"OK")


def test_close_removes_without_a_word(client: Client) -> None:
    client.append(message("one"))
    client.reply("STORE 1 +FLAGS.SILENT (\\Deleted)")
    assert client.ask("CLOSE") == [b"OK CLOSE completed"]
    assert client.ask("STATUS INBOX (MESSAGES)")[0] == b"* STATUS INBOX (MESSAGES 0)"


@pytest.mark.parametrize("leave", ["UNSELECT", "EXAMINE INBOX"])
def test_leaving_otherwise_removes_nothing(client: Client, leave: str) -> None:
    client.append(message("one"))
    client.reply("STORE 1 +FLAGS.SILENT (\\Deleted)")
    client.reply(leave)
    client.reply("CLOSE")
    assert client.ask("STATUS INBOX (MESSAGES)")[0] == b"* STATUS INBOX (MESSAGES 1)"


def test_uid_expunge_removes_those_named(client: Client) -> None:
    for subject in ("one", "two"):
        client.append(message(subject))
    client.reply("STORE 1:2 +FLAGS.SILENT (\\Deleted)")
    assert client.ask("UID EXPUNGE 2") == [b"* 2 EXPUNGE", b"* 1 RECENT", b"OK EXPUNGE completed"]


def test_status_of_the_selected_mailbox(client: Client) -> None:
    client.append(message("one"))
    assert client.ask("STATUS INBOX (MESSAGES UIDNEXT)")[0] == b"* STATUS INBOX (MESSAGES 1 UIDNEXT 2)"


def test_delete_of_the_selected_mailbox_leaves_it(connect: Connect) -> None:
    client = connect().login()
    client.reply("CREATE Box")
    client.reply("SELECT Box")
    assert client.reply("DELETE Box") == b"OK DELETE completed"
    assert client.reply("CHECK").startswith(b"BAD ")
    assert not client.link.closed


def test_capabilities_change_with_the_state(connect: Connect) -> None:
    client = connect()
    assert b"AUTH=PLAIN" in client.ask("CAPABILITY")[0]
    client.login()
    after = client.ask("CAPABILITY")[0]
    assert b"AUTH=" not in after
    assert b" CONDSTORE " in after


def test_what_a_client_says_of_itself_is_logged_after_login(connect: Connect) -> None:
    client = connect()
    client.reply('ID ("name" "early")')
    client.login()
    client.reply('ID ("name" "Mail" "version" "1.2" "os" NIL)')
    logged = [fields for name, fields in client.events.lines if name == "client"]
    assert logged == [{"user": "joe", "address": "192.0.2.1", "name": "Mail", "version": "1.2"}]
