"""Makes ``twistd mailaccess`` known to Twisted."""

from twisted.application.service import ServiceMaker

mailaccess = ServiceMaker(  # type: ignore[no-untyped-call]
    "mailaccess", "mailaccess.app.service", "IMAP and POP3 over TLS for Maildirs.", "mailaccess"
)
