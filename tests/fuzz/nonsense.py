"""Command lines that are nearly right, from a seed: good ones, with pieces cut out, doubled, exchanged and spoiled."""

import random
from collections.abc import Iterator
from itertools import count

IMAP_COMMANDS = [
    b"CAPABILITY",
    b"NOOP",
    b'LOGIN "user" {4+}\r\npass',
    b"AUTHENTICATE PLAIN AGEAYg==",
    b"AUTHENTICATE LOGIN\r\n*",
    b'ID ("name" NIL)',
    b"ENABLE UTF8=ACCEPT CONDSTORE",
    b"NAMESPACE",
    b"SELECT INBOX (CONDSTORE)",
    b"EXAMINE {5}\r\nINBOX",
    b"CREATE &AOk-",
    b"DELETE x",
    b"RENAME x y",
    b'LIST (SUBSCRIBED) "" (% *) RETURN (CHILDREN STATUS (MESSAGES))',
    b'LSUB "" "*"',
    b"STATUS INBOX (MESSAGES UIDNEXT)",
    b"SUBSCRIBE x",
    b"UNSUBSCRIBE x",
    b'APPEND INBOX (\\Seen $x) "01-Jan-2026 00:00:00 +0000" {5+}\r\nhello',
    b"APPEND INBOX ~{3+}\r\na\0b",
    b"IDLE\r\nDONE",
    b"CHECK",
    b"EXPUNGE",
    b"UID EXPUNGE 1:*",
    b"SEARCH RETURN (MIN MAX COUNT) CHARSET UTF-8 OR (SEEN) NOT {1+}\r\nx",
    b'UID SEARCH 1:* SINCE 1-Jan-2020 HEADER "x" "" LARGER 4294967295',
    b"STORE 1:3 (UNCHANGEDSINCE 5) +FLAGS.SILENT (\\Seen)",
    b"FETCH 1:* (FLAGS BODY.PEEK[1.2.HEADER.FIELDS (TO FROM)]<0.10> BINARY.SIZE[1] ENVELOPE)",
    b"FETCH 2,4:*,1 ALL",
    b"UID FETCH 1 (BODYSTRUCTURE RFC822.TEXT) (CHANGEDSINCE 1)",
    b"COPY 1 x",
    b"UID MOVE 1:2 x",
    b"CLOSE",
    b"UNSELECT",
]

POP3_COMMANDS = [
    b"CAPA",
    b"USER x",
    b"PASS y",
    b"APOP x 0123456789abcdef0123456789abcdef",
    b"AUTH",
    b"AUTH PLAIN AGEAYg==",
    b"AUTH LOGIN\r\n*",
    b"STAT",
    b"LIST",
    b"LIST 1",
    b"RETR 1",
    b"DELE 1",
    b"RSET",
    b"NOOP",
    b"TOP 1 5",
    b"UIDL",
    b"UIDL 1",
    b"UTF8",
    b"LANG *",
]

PIECES = [
    b"\0",
    b" ",
    b"  ",
    b"\t",
    b"(",
    b")",
    b"((((",
    b"{",
    b"}",
    b"{1}",
    b"{3+}\r\nabc",
    b"{99999999999}",
    b"{0+}\r\n",
    b"[",
    b"]",
    b"<",
    b">",
    b'"',
    b'\\"',
    b"\\",
    b"*",
    b"%",
    b":",
    b",",
    b"1:*",
    b"0",
    b"4294967296",
    b"18446744073709551616",
    b"-1",
    b"NIL",
    b"\xff",
    b"\xc3",
    b"\xe2\x82\xac",
    b"\r",
    b"\n",
    b"\x7f",
    b"~",
    b"&",
    b"&AAA-",
    b"x" * 300,
    b"../",
    b"+",
    b"=",
    b"$",
    b"@",
    b"<0.0>",
    b"UID",
    b"\r\n",
]


def spoiled(chance: random.Random, command: bytes) -> bytes:
    """One command with up to three mistakes."""
    for _ in range(chance.randint(0, 3)):
        at, end = sorted(chance.choices(range(len(command) + 1), k=2))
        kind = chance.randrange(5)
        if kind == 0:
            command = command[:at] + chance.choice(PIECES) + command[at:]
        elif kind == 1:
            command = command[:at] + command[end:]
        elif kind == 2:
            command = command[:end] + command[at:]
        elif kind == 3:
            command = command[:at] + bytes([chance.randrange(256)]) + command[at + 1 :]
        else:
            command = command[:at] + chance.choice(PIECES) + command[end:]
    return command


def lines(seed: int, commands: list[bytes], tagged: bool) -> Iterator[bytes]:
    """Spoiled commands, without their line ends, for ever."""
    chance = random.Random(seed)
    for number in count():
        command = chance.choice(commands)
        yield spoiled(chance, b"t%d %s" % (number, command) if tagged else command)
