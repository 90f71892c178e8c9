"""What docs/tunnel.md tells its reader to write, carried out."""

import re
import ssl
import sys
from pathlib import Path

import pytest
from server_process import PROJECT, environment, eventually, program
from tunnel.certificates import Certificates
from tunnel.peers import inetd
from tunnel.processes import Processes
from tunnel.traffic import said, trusting
from wire import Wire

pytestmark = pytest.mark.system

GUIDE = (PROJECT / "docs" / "tunnel.md").read_text()


def command(folder: Path) -> str:
    """A program ``mailaccess`` that is this checkout."""
    script = folder / "mailaccess"
    lines = ("#!/bin/sh", f"export PYTHONPATH={PROJECT}", f'exec {sys.executable} -m mailaccess.app.command "$@"')
    script.write_text("\n".join(lines) + "\n")
    script.chmod(0o755)
    return str(script)


def test_the_line_of_inetd_conf(processes: Processes, pem: Certificates) -> None:
    line = re.search(r"^ +pop3s stream tcp nowait root \S+ mailaccess (.*)$", GUIDE, re.MULTILINE)
    assert line is not None
    words = line[1].replace("/usr/sbin/popa3d", program("popa3d")).split()
    port = inetd(processes, command(processes.folder), *words, "-p", pem.server)
    assert said(port, trusting(pem.ca), send=b"QUIT\r\n") == b"+OK\r\n+OK\r\n"


def test_the_program_of_an_embedder(processes: Processes) -> None:
    block = re.search(r"^```python\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
    assert block is not None
    program("popa3d")
    port, clear = processes.free_port(), processes.free_port()
    text = block[1].replace("127.0.0.1:1995", f"127.0.0.1:{port}").replace('"1430"', f'"{clear}"')
    assert text != block[1]
    (processes.folder / "tunnel.tac").write_text(text)
    twistd = [str(Path(sys.executable).parent / "twistd"), "--nodaemon", "--pidfile=", "--python", "tunnel.tac"]
    running = processes.start(twistd, environment={**environment(), "XDG_STATE_HOME": str(processes.folder)})
    running.listens(port)
    running.listens(clear)
    own = processes.folder / "mailaccess" / "certificate.pem"
    eventually(own.exists)
    with Wire(port, ssl.create_default_context(cafile=str(own))) as wire:
        assert wire.line() == b"+OK"
    running.stop()
    assert "Traceback" not in running.words()
