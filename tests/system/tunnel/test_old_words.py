"""What guides to stunnel and inetd say, understood: the letters of stunnel 3, and stunnel.conf."""

from pathlib import Path

import pytest
from server_process import program
from tunnel import ours as command
from tunnel import plain as servers
from tunnel.certificates import Certificates
from tunnel.ours import StartTunnel
from tunnel.plain import StartPlain
from tunnel.processes import Processes
from tunnel.traffic import echoed, said, trusting

pytestmark = pytest.mark.system


def test_the_letters_of_stunnel_3(tunnel: StartTunnel, plain: StartPlain, pem: Certificates) -> None:
    echo = plain(servers.echo)
    far = tunnel("-d", "127.0.0.1:0", "-r", echo.target, "-p", pem.server)
    assert echoed(far.port, trusting(pem.ca))
    near = tunnel("-c", "-d", "127.0.0.1:0", "-r", f"localhost:{far.port}", "-A", pem.ca, "-v", "2")
    assert echoed(near.port)
    runs = tunnel("-d", "127.0.0.1:0", "-p", pem.server, "-l", "/bin/echo", "--", "echo", "-n", "hello")
    assert said(runs.port, trusting(pem.ca)) == b"hello"


CONF = """\
; the same file for both
foreground = yes
pid =
syslog = no
debug = info
[far]
accept = 127.0.0.1:{far}
connect = {target}
cert = {pem.server}
CAfile = {pem.ca}
verifyChain = yes
[near]
client = yes
accept = 127.0.0.1:{near}
connect = 127.0.0.1:{far}
cert = {pem.client}
CAfile = {pem.ca}
verifyChain = yes
checkHost = localhost
[hello]
accept = 127.0.0.1:{hello}
cert = {pem.server}
exec = /bin/echo
execArgs = echo -n hello
TIMEOUTclose = 0
"""


@pytest.mark.parametrize("who", ["stunnel", "mailaccess"])
def test_one_stunnel_conf_means_the_same_to_both(
    tunnel: StartTunnel, plain: StartPlain, processes: Processes, pem: Certificates, who: str
) -> None:
    ports = {name: processes.free_port() for name in ("far", "near", "hello")}
    conf = processes.folder / "stunnel.conf"
    conf.write_text(CONF.format(target=plain(servers.echo).target, pem=pem, **ports))
    if who == "stunnel":
        running = processes.start([program("stunnel4"), str(conf)])
        running.says("Accepting new connections")
    else:
        assert tunnel("--stunnel-conf", str(conf)).ports == ports
    assert echoed(ports["near"])
    assert echoed(ports["far"], trusting(pem.ca, pem.client))
    assert not echoed(ports["far"], trusting(pem.ca))
    assert said(ports["hello"], trusting(pem.ca)) == b"hello"


def refused(folder: Path, line: str, pem: Certificates) -> str:
    """What is said of a stunnel.conf whose line 4 is ``line``."""
    conf = folder / "stunnel.conf"
    conf.write_text(f"[one]\naccept = 127.0.0.1:0\nconnect = 127.0.0.1:1\n{line}\ncert = {pem.server}\n")
    result = command.run("--stunnel-conf", str(conf), folder=folder)
    assert result.returncode != 0
    assert "Traceback" not in result.stderr
    return result.stderr


@pytest.mark.parametrize(
    "line", ["engineId = pkcs11", "protocol = cifs", "transparent = both", "nonsense = 1", "what?"]
)
def test_what_is_not_supported_is_named_with_its_line(tmp_path: Path, pem: Certificates, line: str) -> None:
    words = refused(tmp_path, line, pem)
    assert "4" in words
    assert line.partition(" ")[0].rstrip("?") in words
