"""Several targets: whose turn it is, one that is gone, one that hangs, and none at all."""

import contextlib
import socket
import time
from collections import Counter

import pytest
from server_process import eventually
from tunnel import plain as servers
from tunnel.certificates import Certificates
from tunnel.ours import StartTunnel, Tunnel
from tunnel.peers import stunnel
from tunnel.plain import Plain, StartPlain
from tunnel.processes import Processes
from tunnel.traffic import said, trusting
from wire import Wire

pytestmark = pytest.mark.system

WORDS = {
    "imap": b"* BYE ",
    "pop3": b"-ERR ",
    "smtp": b"421 ",
    "nntp": b"400 ",
    "ldap": b"\x30",
    "postgresql": b"E",
}


def named(name: bytes) -> servers.Serve:
    """A POP3 server that tells its name in its greeting, and in nothing else."""
    return servers.lines(b"+OK " + name + b"\r\n", {b"QUIT": b"+OK bye\r\n"}, b"-ERR what?\r\n")


@pytest.fixture
def three(plain: StartPlain) -> dict[str, Plain]:
    """Three POP3 servers by their names."""
    return {name: plain(named(name.encode())) for name in ("a", "b", "c")}


def before(three: dict[str, Plain]) -> list[str]:
    return [word for server in three.values() for word in ("--connect", server.target)]


def answers(ours: Tunnel, pem: Certificates) -> str:
    """The name of the server that a client gets; empty where it gets an error."""
    with Wire(ours.port, trusting(pem.ca)) as wire:
        line = wire.line()
        wire.send(b"QUIT\r\n")
        return line.removeprefix(b"+OK ").decode() if line.startswith(b"+OK ") else ""


def test_each_in_turn(tunnel: StartTunnel, three: dict[str, Plain], pem: Certificates) -> None:
    ours = tunnel("--protocol", "pop3", "--certificate", pem.server, *before(three))
    assert Counter(answers(ours, pem) for _ in range(12)) == {"a": 4, "b": 4, "c": 4}


def test_the_first_as_long_as_it_is_there(tunnel: StartTunnel, three: dict[str, Plain], pem: Certificates) -> None:
    options = ["--balance", "priority", "--health-seconds", "0.2"]
    ours = tunnel("--protocol", "pop3", "--certificate", pem.server, *options, *before(three))
    assert {answers(ours, pem) for _ in range(4)} == {"a"}
    three["a"].close()
    assert {answers(ours, pem) for _ in range(4)} == {"b"}


def test_the_one_with_fewest_connections(tunnel: StartTunnel, three: dict[str, Plain], pem: Certificates) -> None:
    ours = tunnel("--protocol", "pop3", "--certificate", pem.server, "--balance", "least-connections", *before(three))
    held = [Wire(ours.port, trusting(pem.ca)) for _ in range(6)]
    names = [wire.line() for wire in held]
    assert set(Counter(names).values()) == {2}
    for number, name in enumerate(names):
        held[number].close()
        eventually(lambda: ours.log().count("tunnel_closed") == number + 1)  # noqa: B023
        held.append(Wire(ours.port, trusting(pem.ca)))
        assert held[-1].line() == name
    for wire in held:
        wire.close()


def test_one_that_is_killed_is_not_noticed_by_clients(
    tunnel: StartTunnel, three: dict[str, Plain], pem: Certificates
) -> None:
    ours = tunnel("--protocol", "pop3", "--certificate", pem.server, *before(three))
    assert answers(ours, pem)
    three["b"].close()
    assert Counter(answers(ours, pem) for _ in range(12))[""] == 0


def test_one_that_hangs_is_found_ill(tunnel: StartTunnel, three: dict[str, Plain], pem: Certificates) -> None:
    """It accepts and never greets: asked for its health it fails, and clients do not wait for it any more."""
    with socket.create_server(("127.0.0.1", 0)) as hung:
        port = hung.getsockname()[1]
        ours = tunnel(
            "--protocol", "pop3", "--certificate", pem.server, "--health-seconds", "0.3",
            "--connect-timeout-seconds", "0.5", "--handshake-timeout-seconds", "5",
            "--connect", f"127.0.0.1:{port}", "--connect", three["a"].target,
        )  # fmt: skip
        ours.logs(f"127.0.0.1:{port}", "target")
        for _ in range(6):
            assert answers(ours, pem) == "a"


def test_one_that_does_not_answer_costs_its_time_out(
    tunnel: StartTunnel, three: dict[str, Plain], pem: Certificates
) -> None:
    """Its queue of connections is full: the kernel drops what else arrives, as a router does on the way to nowhere."""
    with socket.socket() as silent, contextlib.ExitStack() as held:
        silent.bind(("127.0.0.1", 0))
        silent.listen(0)
        for _ in range(4):
            waiting = held.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(silent.getsockname())
        ours = tunnel(
            "--protocol", "pop3", "--certificate", pem.server, "--health-seconds", "0", "--balance", "priority",
            "--connect-timeout-seconds", "0.5", "--connect", f"127.0.0.1:{silent.getsockname()[1]}",
            "--connect", three["a"].target,
        )  # fmt: skip
        began = time.monotonic()
        assert answers(ours, pem) == "a"
        assert 0.4 < time.monotonic() - began < 4


def test_clients_get_over_the_death_of_an_stunnel(
    tunnel: StartTunnel, plain: StartPlain, processes: Processes, pem: Certificates
) -> None:
    far = [f"connect = {plain(servers.POP3).target}", f"cert = {pem.server}"]
    again = f"accept = 127.0.0.1:{processes.free_port()}"
    both = [stunnel(processes, far=far), stunnel(processes, far=[again, *far])]
    targets = [word for each in both for word in ("--connect", f"localhost:{each.ports['far']}")]
    ours = tunnel("--client", "--protocol", "pop3", "--ca", pem.ca, "--health-seconds", "0.2", *targets)
    with Wire(ours.port, None) as wire:
        assert wire.line().startswith(b"+OK")
        for each in both:
            each.running.process.kill()
        assert wire.rest() == b""
    assert said(ours.port).startswith(b"-ERR ")
    stunnel(processes, far=[again, *far])
    eventually(lambda: said(ours.port, send=b"QUIT\r\n").startswith(b"+OK"))


def test_one_that_comes_back_is_used_again(
    tunnel: StartTunnel, plain: StartPlain, processes: Processes, pem: Certificates
) -> None:
    port = processes.free_port()
    ours = tunnel(
        "--protocol", "pop3", "--certificate", pem.server, "--health-seconds", "0.2", "--retries", "0",
        "--balance", "priority", "--connect", f"127.0.0.1:{port}", "--connect", plain(named(b"spare")).target,
    )  # fmt: skip
    assert answers(ours, pem) == "spare"
    plain(named(b"back"), port)
    eventually(lambda: answers(ours, pem) == "back")


def test_none_at_all(tunnel: StartTunnel, processes: Processes, pem: Certificates) -> None:
    """A client is told so in its own protocol's words, in either role and before TLS too."""
    sides = {
        "server": f'certificate = "{pem.server}"',
        "starttls": f'certificate = "{pem.server}"\nstarttls = true',
        "client": f'client = true\nca = "{pem.ca}"',
    }
    common = f'accept = "127.0.0.1:0"\nconnect = ["127.0.0.1:{processes.free_port()}"]\nretries = 0'
    conf = processes.folder / "tunnels.toml"
    conf.write_text(
        "".join(
            f'[[tunnel]]\nname = "{protocol}-{side}"\nprotocol = "{protocol}"\n{common}\n{options}\n'
            for protocol in WORDS
            for side, options in sides.items()
        )
    )
    ours = tunnel("--config", str(conf))
    for protocol, words in WORDS.items():
        for side in sides:
            name = f"{protocol}-{side}"
            assert said(ours.ports[name], trusting(pem.ca) if side == "server" else None).startswith(words), name
            ours.logs("tunnel_unreachable", name)


def test_it_is_tried_again(tunnel: StartTunnel, plain: StartPlain, processes: Processes, pem: Certificates) -> None:
    """Servers that are just being restarted cost a client a second, not an error."""
    port = processes.free_port()
    closes = plain(lambda _: None)
    ours = tunnel(
        "--protocol", "pop3", "--certificate", pem.server, "--health-seconds", "0",
        "--connect", f"127.0.0.1:{port}", "--connect", closes.target,
    )  # fmt: skip
    with Wire(ours.port, trusting(pem.ca)) as wire:
        eventually(lambda: closes.accepted)
        plain(named(b"late"), port)
        assert wire.line() == b"+OK late"
