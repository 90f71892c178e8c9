"""sslyze finds all four ports compliant with Mozilla's intermediate profile."""

import subprocess

import pytest
from server_process import Server, program

pytestmark = pytest.mark.system


@pytest.mark.parametrize(("listener", "starttls"), [("imaps", ""), ("pop3s", ""), ("imap", "imap"), ("pop3", "pop3")])
def test_mozilla_intermediate(server: Server, listener: str, starttls: str) -> None:
    command = [program("sslyze"), "--mozilla_config=intermediate", f"--certinfo_ca_file={server.certificate}"]
    command += [f"--starttls={starttls}"] if starttls else []
    command += [f"localhost:{server.ports[listener]}"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)
    assert "OK - Compliant" in result.stdout, result.stdout + result.stderr
    assert result.returncode == 0
