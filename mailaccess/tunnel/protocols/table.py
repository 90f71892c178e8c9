"""The protocols by their names."""

from mailaccess.tunnel.protocols.imap import IMAP
from mailaccess.tunnel.protocols.ldap import LDAP
from mailaccess.tunnel.protocols.nntp import NNTP
from mailaccess.tunnel.protocols.pop3 import POP3
from mailaccess.tunnel.protocols.postgresql import POSTGRESQL
from mailaccess.tunnel.protocols.smtp import SMTP
from mailaccess.tunnel.spoken import Spoken

SPOKEN: dict[str, Spoken] = {spoken.name: spoken for spoken in (IMAP, POP3, SMTP, NNTP, LDAP, POSTGRESQL)}
"""``SPOKEN["pop3"]``."""
