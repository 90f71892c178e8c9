"""Connections that begin TLS by a command of their protocol: nothing passes before."""

import pytest
from pairs import result_of
from stories import GREETINGS, Make, Opens, everything, hears, hears_to_the_end, is_lost, line, says, started

from mailaccess.tunnel.faults import Unreachable
from mailaccess.tunnel.protocols.table import SPOKEN
from mailaccess.tunnel.session import UNAVAILABLE
from tests.net.loopback import turn_until

pytest_plugins = ["worlds"]

BEGIN = {"imap": b"a STARTTLS\r\n", "pop3": b"STLS\r\n", "smtp": b"STARTTLS\r\n", "nntp": b"STARTTLS\r\n"}
TALK = {
    "imap": [b"a LOGIN joe secret\r\n", b"b NOOP\r\n"],
    "pop3": [b"USER joe\r\n", b"PASS secret\r\n"],
    "smtp": [b"EHLO client\r\n", b"MAIL FROM:<>\r\n"],
    "nntp": [b"AUTHINFO USER joe\r\n", b"GROUP misc\r\n"],
}
LEAVE = {"imap": b"a LOGOUT\r\n", "pop3": b"QUIT\r\n", "smtp": b"QUIT\r\n", "nntp": b"QUIT\r\n"}


@pytest.mark.parametrize("protocol", BEGIN)
def test_nothing_passes_before_tls_and_everything_after(make: Make, protocol: str) -> None:
    world = started(make, protocol)
    says(world.destination.server, b"untagged news for who is not there yet\r\n")
    for command in TALK[protocol]:
        says(world.client, command)
        assert b"news" not in result_of(line(world.client))
    assert world.destination.server._held == []
    says(world.client, BEGIN[protocol])
    assert b"news" not in result_of(line(world.client))
    assert world.destination.server._held == []
    inside = world.secured()
    hears(inside, b"untagged news for who is not there yet\r\n")
    says(inside, b"c\r\n")
    hears(world.destination.server, b"c\r\n")
    world.stop()


def test_what_a_client_got_before_tls_is_counted(make: Make) -> None:
    world = started(make, "pop3")
    says(world.client, b"STLS\r\n")
    assert result_of(line(world.client)).startswith(b"+OK")
    inside = world.secured()
    says(world.destination.server, b"+OK\r\n")
    hears(inside, b"+OK\r\n")
    world.stop()
    result_of(world.done)
    assert world.logged()[1]["received"] == len(GREETINGS["pop3"]) + 5


def test_where_a_server_knows_its_client_beforehand_the_client_is_told_that_there_is_none(make: Make) -> None:
    world = make(Opens(b"* PREAUTH ready\r\n"), protocol="imap", tls="starttls")
    world.begin()
    hears_to_the_end(world.client, SPOKEN["imap"].unavailable(UNAVAILABLE))
    result_of(world.client.end())
    result_of(world.done)
    assert world.logged()[0] == "tunnel_refused"
    assert "PREAUTH" in world.reason()


@pytest.mark.parametrize("protocol", BEGIN)
def test_a_good_bye_before_tls_is_answered(make: Make, protocol: str) -> None:
    world = started(make, protocol)
    says(world.client, LEAVE[protocol])
    assert result_of(everything(world.client)).endswith(b"\r\n")
    result_of(world.client.end())
    result_of(world.done)
    assert (world.logged()[0], world.reason()) == ("tunnel_closed", "the client left before TLS")


@pytest.mark.parametrize("protocol", BEGIN)
def test_who_insists_on_clear_text_hears_the_last_words(make: Make, protocol: str) -> None:
    world = started(make, protocol)
    says(world.client, TALK[protocol][1] * 12)
    said = result_of(everything(world.client))
    assert said.rstrip().endswith(b"Too many commands without TLS"), said
    result_of(world.client.end())
    result_of(world.done)
    assert world.logged()[0] == "tunnel_refused"


@pytest.mark.parametrize("protocol", BEGIN)
def test_octets_that_follow_the_command_in_clear_end_it(make: Make, protocol: str) -> None:
    world = started(make, protocol)
    says(world.client, BEGIN[protocol] + b"injected\r\n")
    result_of(world.client.end())
    result_of(world.done)
    assert world.reason() == "octets in clear follow the command that begins TLS"
    assert world.destination.server._held == []


@pytest.mark.parametrize("stage", ["before the command", "in the handshake"])
def test_the_way_to_tls_has_its_time(make: Make, stage: str) -> None:
    world = started(make, "pop3", handshake_seconds=20.0)
    if stage == "in the handshake":
        says(world.client, b"STLS\r\n")
        assert result_of(line(world.client)).startswith(b"+OK")
    turn_until(lambda: world.near._reader is not None)
    world.clock.advance(20.1)
    result_of(world.done)
    assert world.reason() == "the client's way to TLS took more than 20 s"


def test_after_starttls_a_name_leads_to_another_target_and_the_first_is_let_go_of(make: Make) -> None:
    other = Opens(b"* OK the other's greeting, which comes too late\r\n")
    world = started(make, "imap", route=lambda name: other if name == "mail.example.org" else None)
    world.others.append(other)
    says(world.client, b"a STARTTLS\r\n")
    assert result_of(line(world.client)).startswith(b"a OK")
    inside = world.secured()
    is_lost(world.destination.server)
    assert world.destination.releases == 1
    says(inside, b"b NOOP\r\n")
    hears(other.server, b"b NOOP\r\n")
    says(other.server, b"b OK\r\n")
    hears(inside, b"b OK\r\n")
    world.stop()
    result_of(world.done)
    assert (world.destination.releases, other.releases) == (1, 1)


def test_after_starttls_the_excuse_is_inside_tls(make: Make) -> None:
    other = Opens(fault=Unreachable("the other is not there"))
    world = started(make, "imap", route=lambda name: other)
    world.others.append(other)
    says(world.client, b"a STARTTLS\r\n")
    assert result_of(line(world.client)).startswith(b"a OK")
    inside = world.secured()
    hears_to_the_end(inside, SPOKEN["imap"].unavailable(UNAVAILABLE))
    result_of(inside.end())
    result_of(world.done)
    assert world.reason() == "the other is not there"
    assert world.destination.releases == 1


def test_a_postgresql_client_that_asks_for_tls_in_clear_is_told_no(make: Make) -> None:
    world = make(protocol="postgresql")
    world.begin()
    says(world.client, b"\0\0\0\x08\x04\xd2\x16\x2f")
    hears(world.client, b"N")
    world.clock.advance(31)
    result_of(world.done)
    assert world.reason() == "the first words of both sides took more than 30 s"
