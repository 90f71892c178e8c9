"""How a connection begins: who comes, who may come in, TLS, and where no target is to be had.

Whatever happens, ``World.check`` looks afterwards whether everything was let go of, once, and one line was logged.
"""

import pytest
from OpenSSL import SSL
from pairs import result_of
from stories import CLIENT, FROM_PROXY, GREETINGS, Make, Opens, hears, hears_to_the_end, is_lost, says
from twisted.internet.defer import Deferred

from mailaccess.ops.transport import GOODBYE_SECONDS
from mailaccess.tunnel.admission import Doors
from mailaccess.tunnel.faults import Mismatch, StreamLost, TLSFailed, TunnelFault, Unreachable
from mailaccess.tunnel.protocols.table import SPOKEN
from mailaccess.tunnel.proxies.header import v1, v2
from mailaccess.tunnel.proxies.trusted import TrustedNetworks
from mailaccess.tunnel.session import UNAVAILABLE
from mailaccess.tunnel.tlsside import TLSPeer
from tests.net.loopback import turn_until

pytest_plugins = ["worlds"]

# -- in and out


@pytest.mark.parametrize("protocol", ["", *GREETINGS])
@pytest.mark.parametrize("tls", ["", "tls"])
def test_a_client_hears_the_greeting_and_then_octets_pass(make: Make, protocol: str, tls: str) -> None:
    greeting = GREETINGS.get(protocol, b"")
    destination = Opens(greeting)
    world = make(destination, protocol=protocol, tls=tls)
    world.begin()
    client = world.secured() if tls else world.client
    hears(client, greeting)
    says(client, b"QUIT\r\n")
    hears(destination.server, b"QUIT\r\n")
    says(destination.server, b"good-bye\r\n")
    result_of(destination.server.end())
    hears_to_the_end(client, b"good-bye\r\n")
    result_of(client.end())
    hears_to_the_end(destination.server, b"")
    result_of(world.done)
    event, fields = world.logged()
    assert event == "tunnel_closed"
    assert (fields["sent"], fields["received"], fields["target"]) == (6, len(greeting) + 10, "target:1")
    assert (fields["service"], fields["address"], fields["port"]) == ("pop3s", CLIENT, 1234)
    assert "reason" not in fields
    assert ("tls" in fields, "cipher" in fields) == (bool(tls), bool(tls))


def test_the_time_that_it_took_is_logged(make: Make) -> None:
    world = make()
    world.begin()
    says(world.client, b"x")
    hears(world.destination.server, b"x")
    world.clock.advance(12.3456)
    world.stop()
    result_of(world.done)
    assert world.logged()[1]["seconds"] == 12.346


def test_a_target_is_told_of_the_clients_tls(make: Make) -> None:
    world = make(tls="tls")
    world.begin()
    world.secured()
    turn_until(lambda: world.destination.visitors)
    (visitor,) = world.destination.visitors
    assert (visitor.tls_version, visitor.host, visitor.local_port) == ("TLSv1.3", CLIENT, 995)
    assert visitor.peer == TLSPeer(trusted=True, server_name="mail.example.org")
    world.stop()
    result_of(world.done)
    assert world.logged()[1]["server_name"] == "mail.example.org"


# -- the PROXY protocol


@pytest.mark.parametrize("header", [v1(FROM_PROXY), v2(FROM_PROXY)], ids=["v1", "v2"])
@pytest.mark.parametrize("tls", ["", "tls", "starttls"])
def test_a_named_network_says_for_whom_it_comes(make: Make, header: bytes, tls: str) -> None:
    world = make(Opens(b"+OK\r\n"), protocol="pop3", tls=tls, proxy_from=TrustedNetworks([CLIENT], "proxy_from"))
    world.begin()
    assert world.destination.visitors == []
    says(world.client, header)
    if tls == "tls":
        world.secured()
    turn_until(lambda: world.destination.visitors)
    (visitor,) = world.destination.visitors
    assert (visitor.host, visitor.port, visitor.local_host) == ("198.51.100.9", 4711, "203.0.113.1")
    world.stop()
    result_of(world.done)
    assert world.logged()[1]["address"] == "198.51.100.9"


def test_a_proxy_may_speak_for_itself(make: Make) -> None:
    world = make(proxy_from=TrustedNetworks(["192.0.2.0/24"], "proxy_from"))
    world.begin()
    says(world.client, v2(None) + b"x")
    hears(world.destination.server, b"x")
    assert world.destination.visitors[0].host == CLIENT
    world.stop()


@pytest.mark.parametrize("trusted", [(), ("198.51.100.0/24",), ("unix",)], ids=["nobody", "another", "unix"])
def test_nobody_else_is_believed_and_his_header_is_an_octet_like_any_other(
    make: Make, trusted: tuple[str, ...]
) -> None:
    world = make(proxy_from=TrustedNetworks(trusted, "proxy_from"))
    world.begin()
    says(world.client, v1(FROM_PROXY))
    hears(world.destination.server, v1(FROM_PROXY))
    assert world.destination.visitors[0].host == CLIENT
    world.stop()


def test_before_tls_a_header_of_nobody_is_no_handshake(make: Make) -> None:
    world = make(tls="tls")
    world.begin()
    says(world.client, v1(FROM_PROXY))
    result_of(world.client.end())
    result_of(world.done)
    assert world.logged()[0] == "tunnel_tls_failed"
    assert world.destination.visitors == []


def test_inside_tls_a_header_is_believed_from_nobody(make: Make) -> None:
    world = make(tls="tls", proxy_from=TrustedNetworks([CLIENT], "proxy_from"))
    world.begin()
    says(world.client, v2(None))
    says(world.secured(), v1(FROM_PROXY))
    hears(world.destination.server, v1(FROM_PROXY))
    assert world.destination.visitors[0].host == CLIENT
    world.stop()


@pytest.mark.parametrize("said", [b"\x16\x03\x01\x00\x05hello", b"PROXY TCP4 1.2.3.4\r\n", b"USER joe\r\n"])
def test_a_named_network_must_send_a_header(make: Make, said: bytes) -> None:
    world = make(proxy_from=TrustedNetworks([CLIENT], "proxy_from"))
    world.begin()
    says(world.client, said)
    result_of(world.done)
    assert world.logged()[0] == "tunnel_refused"
    assert world.destination.visitors == []


def test_a_header_has_its_time(make: Make) -> None:
    world = make(proxy_from=TrustedNetworks([CLIENT], "proxy_from"), handshake_seconds=30.0)
    world.begin()
    says(world.client, b"PROXY TCP4 ")
    turn_until(lambda: world.near._reader is not None)
    world.clock.advance(29.9)
    assert world.events.events == []
    world.clock.advance(0.2)
    result_of(world.done)
    assert world.reason() == "the PROXY header took more than 30 s"


# -- doors


def test_clients_are_counted_by_the_address_that_the_proxy_names(make: Make) -> None:
    world = make(proxy_from=TrustedNetworks([CLIENT], "proxy_from"), doors=Doors(10, 1))
    with world.plan.doors.one_more(), world.plan.doors.one_more_from("198.51.100.9"):
        world.begin()
        says(world.client, v1(FROM_PROXY))
        result_of(world.done)
        assert len(world.plan.doors) == 1, "who was refused is still counted"
    assert world.reason() == "198.51.100.9 has 1 connections, which is all it may have"


def test_a_proxy_is_counted_before_it_says_for_whom_it_comes(make: Make) -> None:
    doors = Doors(1, 1)
    waiting, refused = (make(proxy_from=TrustedNetworks([CLIENT], "proxy_from"), doors=doors) for _ in range(2))
    waiting.begin()
    refused.begin()
    result_of(refused.done)
    assert refused.reason() == "the service has 1 connections, which is all it may have"
    assert len(doors) == 1
    waiting.stop()
    result_of(waiting.done)
    assert len(doors) == 0


@pytest.mark.parametrize("protocol", ["", *SPOKEN])
@pytest.mark.parametrize("tls", ["", "starttls"])
def test_who_finds_the_doors_closed_in_clear_is_told_in_his_protocol(make: Make, protocol: str, tls: str) -> None:
    world = make(protocol=protocol, tls=tls, doors=Doors(0, 0))
    world.begin()
    result_of(world.done)  # it is not waited for
    words = SPOKEN[protocol].unavailable(UNAVAILABLE) if protocol else b""
    hears_to_the_end(world.client, words)
    assert world.logged()[0] == "tunnel_refused"
    assert world.destination.visitors == []


def test_who_finds_the_doors_closed_before_tls_is_told_nothing(make: Make) -> None:
    world = make(protocol="pop3", tls="tls", doors=Doors(0, 0))
    world.begin()
    is_lost(world.client)


# -- no target


@pytest.mark.parametrize(
    "fault", [Unreachable("a:1 is not there"), Mismatch("imap greeting"), TLSFailed("not him"), StreamLost("reset")]
)
@pytest.mark.parametrize("protocol", ["", *SPOKEN])
@pytest.mark.parametrize("tls", ["", "tls", "starttls"])
def test_where_no_target_is_to_be_had_the_client_is_told_so_but_not_why(
    make: Make, fault: TunnelFault, protocol: str, tls: str
) -> None:
    world = make(Opens(fault=fault), protocol=protocol, tls=tls)
    world.begin()
    client = world.secured() if tls == "tls" else world.client
    hears_to_the_end(client, SPOKEN[protocol].unavailable(UNAVAILABLE) if protocol else b"")
    result_of(client.end())
    result_of(world.done)
    assert (world.logged()[0], world.reason()) == (fault.event, str(fault))


def test_who_does_not_go_after_the_good_bye_is_cut(make: Make) -> None:
    world = make(Opens(fault=Unreachable("nobody")), protocol="pop3")
    world.begin()
    hears_to_the_end(world.client, SPOKEN["pop3"].unavailable(UNAVAILABLE))
    says(world.client, b"USER joe\r\n")
    turn_until(lambda: world.near._reader is not None)
    world.clock.advance(GOODBYE_SECONDS - 0.1)
    assert world.near._lost is None
    world.clock.advance(0.2)
    result_of(world.done)
    assert world.reason() == "nobody"


def test_a_client_that_is_gone_need_not_be_told(make: Make) -> None:
    opened: Deferred[None] = Deferred()
    world = make(Opens(fault=Unreachable("nobody"), opened=opened), protocol="pop3")
    world.begin()
    result_of(world.client.end())
    turn_until(lambda: world.near._read_ended)
    opened.callback(None)
    hears_to_the_end(world.client, SPOKEN["pop3"].unavailable(UNAVAILABLE))
    result_of(world.done)


@pytest.mark.parametrize("answer", [b"R\0\0\0\1", b"", None], ids=["nonsense", "the end", "a reset"])
def test_a_client_that_speaks_first_is_told_where_its_target_makes_no_sense(make: Make, answer: bytes | None) -> None:
    world = make(protocol="postgresql")
    world.begin()
    says(world.client, b"\0\0\0\x12\0\x03\0\0user\0joe\0\0")
    hears(world.destination.server, b"\0\0\0\x12\0\x03\0\0user\0joe\0\0")
    if answer is None:
        world.destination.server.abort("out of order")
    else:
        says(world.destination.server, answer)
        result_of(world.destination.server.end())
    hears_to_the_end(world.client, SPOKEN["postgresql"].unavailable(UNAVAILABLE) if answer != b"" else b"")
    result_of(world.client.end())
    result_of(world.done)


# -- TLS


def test_a_failed_handshake_opens_nothing_and_its_alert_is_heard(make: Make) -> None:
    world = make(tls="tls", own_sides=True)
    world.server_side._context.set_min_proto_version(SSL.TLS1_3_VERSION)
    world.client_side._context.set_max_proto_version(SSL.TLS1_2_VERSION)
    world.begin()
    with pytest.raises(TLSFailed, match="protocol version"):
        world.secured()
    result_of(world.client.end())
    result_of(world.done)
    assert world.logged()[0] == "tunnel_tls_failed"
    assert world.destination.visitors == []


def test_who_may_not_come_in_is_let_go_of_after_the_handshake(make: Make) -> None:
    world = make(tls="tls", protocol="pop3")
    world.server_side.fault = TLSFailed("it showed no certificate")
    world.begin()
    client = world.secured()
    hears_to_the_end(client, b"")
    result_of(client.end())
    result_of(world.done)
    assert world.logged()[0] == "tunnel_tls_failed"
    assert world.reason() == "it showed no certificate"
    assert world.destination.visitors == []


@pytest.mark.parametrize("said", [b"", b"\x16\x03\x01\x02\x00\x01"], ids=["nothing", "half a hello"])
def test_a_handshake_has_its_time(make: Make, said: bytes) -> None:
    world = make(tls="tls", handshake_seconds=30.0)
    world.begin()
    says(world.client, said)
    turn_until(lambda: world.near._reader is not None)
    world.clock.advance(30.1)
    result_of(world.done)
    assert world.reason() == "the handshake took more than 30 s"
    assert world.destination.visitors == []


@pytest.mark.parametrize("leave", ["end", "abort"])
def test_a_client_that_leaves_in_the_handshake_is_counted_down(make: Make, leave: str) -> None:
    world = make(tls="tls")
    world.begin()
    assert len(world.doors) == 1
    if leave == "end":
        result_of(world.client.end())
    else:
        world.client.abort("gone")
    result_of(world.done)


def test_what_a_client_says_at_once_after_its_handshake_is_not_lost(make: Make) -> None:
    opened: Deferred[None] = Deferred()
    world = make(Opens(opened=opened), tls="tls")
    world.begin()
    client = world.secured()
    says(client, b"GET / HTTP/1.0\r\n\r\n")
    turn_until(lambda: world.destination.visitors)
    opened.callback(None)
    hears(world.destination.server, b"GET / HTTP/1.0\r\n\r\n")
    world.stop()


def test_who_ends_tls_without_a_word_is_noted(make: Make) -> None:
    world = make(tls="tls")
    world.begin()
    says(world.secured(), b"x")
    hears(world.destination.server, b"x")
    result_of(world.client.end())
    hears_to_the_end(world.destination.server, b"")
    result_of(world.destination.server.end())
    result_of(world.done)
    assert world.logged()[1]["truncated"] == "client"


def test_why_a_client_is_redirected_is_noted(make: Make) -> None:
    world = make(tls="tls")
    world.server_side.doubt = "it showed no certificate"
    world.begin()
    says(world.secured(), b"x")
    hears(world.destination.server, b"x")
    world.stop()
    assert world.logged()[1]["not_trusted"] == "it showed no certificate"


def test_a_client_that_is_not_trusted_is_redirected(make: Make) -> None:
    other = Opens()
    world = make(tls="tls", redirect=other, route=lambda name: pytest.fail("who is not trusted is not routed"))
    world.others.append(other)
    world.server_side.strangers = ("mail.example.org",)
    world.begin()
    says(world.secured(), b"x")
    hears(other.server, b"x")
    assert world.destination.visitors == []
    world.stop()


def test_a_name_leads_to_a_target_of_its_own(make: Make) -> None:
    other = Opens()
    world = make(tls="tls", route=lambda name: other if name == "mail.example.org" else None)
    world.others.append(other)
    world.begin()
    says(world.secured(), b"x")
    hears(other.server, b"x")
    assert world.destination.visitors == []
    world.stop()
