"""The two messages that a first start puts into the inbox of the user whom it made."""

import io
import time
from email.utils import formatdate

from mailaccess.interfaces import Upload

_SENDER = "mailaccess <mailaccess@localhost>"

_MESSAGES = (
    (
        "Welcome to mailaccess",
        """Your mail is served over IMAP and POP3, and only over TLS.

Each message is a file in your Maildir. Other programs may read and write it
at the same time: put a file into new/, and a client that waits is told.
""",
    ),
    (
        "Next steps",
        """1. Trust the certificate that was made, or give your own:
   --certificate fullchain.pem --private-key privkey.pem
2. Add users: mailaccess user --users FILE add NAME
3. Point --maildir at the mail that Dovecot or Courier serves today:
   UIDs and flags stay, and no client downloads its mail again.
""",
    ),
)


def welcome(user: str) -> list[Upload]:
    """The messages, ready to be appended."""
    return [_upload(user, number, subject, text) for number, (subject, text) in enumerate(_MESSAGES, 1)]


def _upload(user: str, number: int, subject: str, text: str) -> Upload:
    now = time.time()
    head = (
        f"From: {_SENDER}\nTo: {user}\nSubject: {subject}\nDate: {formatdate(now)}\n"
        f"Message-ID: <welcome-{number}.{int(now)}@localhost>\nMIME-Version: 1.0\n"
        "Content-Type: text/plain; charset=utf-8\n\n"
    )
    octets = (head + text).replace("\n", "\r\n").encode()
    return Upload(io.BytesIO(octets), len(octets), internal_date=int(now))
