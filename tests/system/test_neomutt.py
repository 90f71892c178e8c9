"""neomutt and mutt open a folder and save a message into another, which they make."""

import subprocess
from pathlib import Path

import pytest
from corpus import deliver, messages
from server_process import Server, program

pytestmark = pytest.mark.system


@pytest.mark.parametrize("client", ["neomutt", "mutt"])
def test_open_a_folder_and_save_a_message(server: Server, tmp_path: Path, client: str) -> None:
    deliver(server.maildir, messages(5))
    password = server.password.replace("\\", "\\\\").replace('"', '\\"')
    muttrc = tmp_path / "muttrc"
    muttrc.write_text(
        f'set imap_user="{server.user}"\nset imap_pass="{password}"\n'
        f"set folder=imaps://localhost:{server.ports['imaps']}/\nset spoolfile=+INBOX\n"
        f"set certificate_file={server.certificate}\nset ssl_ca_certificates_file={server.certificate}\n"
        "set ssl_verify_host=no\nset confirmcreate=no\nset confirmappend=no\nset delete=yes\n"
        "set quit=yes\nset move=no\n"
        "set wait_key=no\nset resolve=no\nset header_cache=\n"
        'push "<first-entry><save-message><kill-line>=Saved<enter><sync-mailbox><quit>"\n'
    )
    environment = {"TERM": "xterm", "HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
    command = f"{program(client)} -n -F {muttrc} -f imaps://localhost:{server.ports['imaps']}/INBOX"
    subprocess.run(
        [program("script"), "-qec", command, str(tmp_path / "typescript")],
        env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=True,
    )  # fmt: skip
    saved = [*(server.maildir / ".Saved").glob("cur/*"), *(server.maildir / ".Saved").glob("new/*")]
    assert len(saved) == 1
    assert b"Subject: Message number 1\n" in saved[0].read_bytes()
    assert len([*server.maildir.glob("cur/*"), *server.maildir.glob("new/*")]) == 4
