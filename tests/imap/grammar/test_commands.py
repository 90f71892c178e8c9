"""The commands whose arguments are small: LOGIN to STORE, one table for all."""

from collections.abc import Callable
from typing import Any

import pytest

from mailaccess.imap.grammar import listing, login, mailboxes, status
from mailaccess.imap.grammar import store as storing
from mailaccess.imap.grammar import tokens as t
from mailaccess.imap.grammar.status import StatusItem
from mailaccess.imap.wire import Arguments
from mailaccess.mailbox.listing import Return, Selection
from mailaccess.values import DELETED, SEEN, Flag, FlagChange, ModSeq, SequenceSet
from tests.imap.reading import arguments

Read = tuple[Callable[[Arguments], Any], bytes, Any]
ONE = SequenceSet(((1, 1),))


COMMANDS: list[Read] = [
    (login.no_arguments, b"", None),
    (login.login_arguments, b' joe "p \\"w"', login.LoginArguments(b"joe", b'p "w')),
    (login.login_arguments, b" {3+}\r\njoe {2+}\r\npw", login.LoginArguments(b"joe", b"pw")),
    (login.authenticate_arguments, b" plain", login.AuthenticateArguments("PLAIN")),
    (login.authenticate_arguments, b" PLAIN =", login.AuthenticateArguments("PLAIN", b"=")),
    (
        login.authenticate_arguments,
        b" SCRAM-SHA-256 AGpv+/==",
        login.AuthenticateArguments("SCRAM-SHA-256", b"AGpv+/=="),
    ),
    (login.id_parameters, b" NIL", {}),
    (login.id_parameters, b" ()", {}),
    (login.id_parameters, b' ("name" "x" "os" NIL)', {"name": "x", "os": None}),
    (login.enable_names, b" condstore UTF8=ACCEPT CONDSTORE", ("CONDSTORE", "UTF8=ACCEPT")),
    (mailboxes.mailbox_argument, b' "a b"', "a b"),
    (mailboxes.rename_arguments, b" INBOX old/inbox", mailboxes.RenameArguments("INBOX", "old/inbox")),
    (mailboxes.select_arguments, b" INBOX", mailboxes.SelectArguments("INBOX")),
    (mailboxes.select_arguments, b" INBOX (condstore)", mailboxes.SelectArguments("INBOX", condstore=True)),
    (mailboxes.create_arguments, b" a", mailboxes.CreateArguments("a")),
    (mailboxes.create_arguments, rb" a (USE (\sent \X))", mailboxes.CreateArguments("a", ("\\Sent", "\\X"))),
    (mailboxes.create_arguments, b" a (USE ())", mailboxes.CreateArguments("a")),
    (
        status.status_arguments,
        b" a (messages UIDNEXT MESSAGES highestmodseq APPENDLIMIT)",
        status.StatusArguments(
            "a", (StatusItem.MESSAGES, StatusItem.UIDNEXT, StatusItem.HIGHESTMODSEQ, StatusItem.APPENDLIMIT)
        ),
    ),
    (listing.lsub_arguments, b' "" *', listing.ListArguments("", ("*",))),
    (listing.list_arguments, b' "" ""', listing.ListArguments("", ("",))),
    (listing.list_arguments, b" a/ %", listing.ListArguments("a/", ("%",))),
    # Thunderbird, Roundcube, Horde, Camel (what clients were seen to send)
    (
        listing.list_arguments,
        b' (SUBSCRIBED) "" "*" RETURN (SPECIAL-USE)',
        listing.ListArguments(
            "", ("*",), frozenset({Selection.SUBSCRIBED}), frozenset({Return.SPECIAL_USE}), extended=True
        ),
    ),
    (
        listing.list_arguments,
        b' (SPECIAL-USE) "" "*" RETURN (SUBSCRIBED)',
        listing.ListArguments(
            "", ("*",), frozenset({Selection.SPECIAL_USE}), frozenset({Return.SUBSCRIBED}), extended=True
        ),
    ),
    (listing.list_arguments, b' () "" ("a" "b")', listing.ListArguments("", ("a", "b"), extended=True)),
    (listing.list_arguments, b' "" (a)', listing.ListArguments("", ("a",), extended=True)),
    (listing.list_arguments, b' "" % RETURN ()', listing.ListArguments("", ("%",), extended=True)),
    (
        listing.list_arguments,
        b' "" "*" RETURN (CHILDREN SUBSCRIBED STATUS (MESSAGES HIGHESTMODSEQ) SPECIAL-USE)',
        listing.ListArguments(
            "", ("*",), frozenset(), frozenset(Return), (StatusItem.MESSAGES, StatusItem.HIGHESTMODSEQ), extended=True
        ),
    ),
    (
        listing.list_arguments,
        b' (SUBSCRIBED RECURSIVEMATCH) "" "%"',
        listing.ListArguments("", ("%",), frozenset({Selection.SUBSCRIBED, Selection.RECURSIVEMATCH}), extended=True),
    ),
    (storing.set_arguments, b" 1", ONE),
    (storing.copy_arguments, b" 1 Trash", storing.CopyArguments(ONE, "Trash")),
    (storing.store_arguments, rb" 1 FLAGS (\Seen)", storing.StoreArguments(ONE, FlagChange.REPLACE, frozenset({SEEN}))),
    (storing.store_arguments, b" 1 FLAGS ()", storing.StoreArguments(ONE, FlagChange.REPLACE, frozenset())),
    (
        storing.store_arguments,
        rb" 1 +flags.silent \Seen \Deleted",
        storing.StoreArguments(ONE, FlagChange.ADD, frozenset({SEEN, DELETED}), silent=True),
    ),
    (
        storing.store_arguments,
        rb" 1 (UNCHANGEDSINCE 0) -FLAGS.SILENT (a)",
        storing.StoreArguments(ONE, FlagChange.REMOVE, frozenset({Flag("a")}), silent=True, unchanged_since=ModSeq(0)),
    ),
]

UNKNOWN: list[tuple[Callable[[Arguments], Any], bytes]] = [
    (login.no_arguments, b" "),
    (login.no_arguments, b" x"),
    (login.login_arguments, b""),
    (login.login_arguments, b" joe"),
    (login.login_arguments, b" joe pw x"),
    (login.login_arguments, b" joe  pw"),
    (login.login_arguments, b" {3+}\r\nu\0x pw"),
    (login.authenticate_arguments, b""),
    (login.authenticate_arguments, b" PLAIN "),
    (login.authenticate_arguments, b" PLAIN *"),
    (login.authenticate_arguments, b" PLAIN a==="),
    (login.id_parameters, b""),
    (login.id_parameters, b' "name"'),
    (login.id_parameters, b' ("name")'),
    (login.id_parameters, b' ("name" "x" )'),
    (login.id_parameters, b' ("name" ("x"))'),
    (login.id_parameters, b' ("%b" "x")' % (b"n" * 31)),
    (login.id_parameters, b' ("n" "%b")' % (b"x" * 1025)),
    (login.id_parameters, b" (%b)" % b" ".join(b'"%d" NIL' % n for n in range(31))),
    (login.enable_names, b""),
    (login.enable_names, b" "),
    (login.enable_names, b" a "),
    (login.enable_names, b"".join(b" a%d" % n for n in range(101))),
    (mailboxes.mailbox_argument, b""),
    (mailboxes.mailbox_argument, b" a b"),
    (mailboxes.rename_arguments, b" a"),
    (mailboxes.select_arguments, b" a ()"),
    (mailboxes.select_arguments, b" a (CONDSTORE"),
    (mailboxes.select_arguments, b" a (XYZ)"),
    (mailboxes.select_arguments, b" a (QRESYNC (1 2))"),
    (mailboxes.select_arguments, b" a b"),
    (mailboxes.create_arguments, b" a (USE)"),
    (mailboxes.create_arguments, b" a (USE (Sent))"),
    (mailboxes.create_arguments, rb" a (USE (\Sent) )"),
    (mailboxes.create_arguments, b" a (PARTITION x)"),
    (mailboxes.create_arguments, b" a (USE (%b))" % b" ".join(rb"\u%d" % n for n in range(21))),
    (status.status_arguments, b" a"),
    (status.status_arguments, b" a ()"),
    (status.status_arguments, b" a MESSAGES"),
    (status.status_arguments, b" a (XYZ)"),
    (status.status_arguments, b" a (MESSAGES) x"),
    (listing.lsub_arguments, b' "" (a b)'),
    (listing.list_arguments, b' ""'),
    (listing.list_arguments, b' "" *x y'),
    (listing.list_arguments, b' "" * RETURN'),
    (listing.list_arguments, b' "" * RETURN (XYZ)'),
    (listing.list_arguments, b' "" * RETURN (STATUS)'),
    (listing.list_arguments, b' "" * RETURN (STATUS ())'),
    (listing.list_arguments, b' "" ()'),
    (listing.list_arguments, b' (RECURSIVEMATCH) "" *'),
    (listing.list_arguments, b' (REMOTE RECURSIVEMATCH) "" *'),
    (listing.list_arguments, b' (XYZ) "" *'),
    (listing.list_arguments, b' "" (%b)' % b" ".join([b"a"] * 101)),
    (storing.set_arguments, b""),
    (storing.set_arguments, b" 1 2"),
    (storing.copy_arguments, b" 1"),
    (storing.copy_arguments, b" 1, Trash"),
    (storing.store_arguments, b" 1 FLAGS"),
    (storing.store_arguments, b" 1 FLAGS "),
    (storing.store_arguments, b" 1 FLAG (a)"),
    (storing.store_arguments, b" 1 FLAGS.LOUD (a)"),
    (storing.store_arguments, rb" 1 FLAGS (\Seen) x"),
    (storing.store_arguments, rb" 1 +FLAGS \Recent"),
    (storing.store_arguments, b" 1 (UNCHANGEDSINCE 1 UNCHANGEDSINCE 2) FLAGS a"),
    (storing.store_arguments, b" 1 (UNCHANGEDSINCE -1) FLAGS a"),
    (storing.store_arguments, b" 1 (XYZ 1) FLAGS a"),
    (storing.store_arguments, b" 1 () FLAGS a"),
]


@pytest.mark.parametrize(("reader", "text", "value"), COMMANDS)
def test_commands(reader: Callable[[Arguments], Any], text: bytes, value: object) -> None:
    assert reader(arguments(text)) == value


@pytest.mark.parametrize(("reader", "text", "value"), COMMANDS)
def test_nothing_may_follow(reader: Callable[[Arguments], Any], text: bytes, value: object) -> None:
    for behind in (b" ", b" ()", b" x)", b" \t", b" {1+}\r\nx"):
        if reader in (login.enable_names, storing.store_arguments) and behind == b" {1+}\r\nx":
            continue
        with pytest.raises(t.BadSyntax):
            reader(arguments(text + behind))


@pytest.mark.parametrize(("reader", "text"), UNKNOWN)
def test_commands_that_are_refused(reader: Callable[[Arguments], Any], text: bytes) -> None:
    with pytest.raises(t.BadSyntax) as caught:
        reader(arguments(text))
    assert caught.value.text.isprintable()
