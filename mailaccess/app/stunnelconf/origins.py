"""Where a key of a tunnel comes from, for what is found wrong with it later: a file that is missing, a bad cipher."""

from mailaccess.app.stunnelconf.section import InForce

OPTIONS = {
    "accept": ("accept",),
    "connect": ("connect", "protocolHost"),
    "exec": ("exec", "execArgs"),
    "exec_file": ("exec",),
    "inetd": ("exec",),
    "pty": ("pty",),
    "client": ("client",),
    "protocol": ("protocol",),
    "starttls": ("protocol",),
    "certificate": ("cert",),
    "private_key": ("cert", "key"),
    "ca": ("CApath", "CAfile"),
    "verify": ("verify", "verifyChain", "verifyPeer"),
    "host": ("checkHost", "checkIP"),
    "server_name": ("sni",),
    "redirect": ("redirect",),
    "tls_minimum": ("sslVersion", "sslVersionMin", "options"),
    "tls_maximum": ("sslVersion", "sslVersionMax", "options"),
    "ciphers": ("ciphers",),
    "ciphersuites": ("ciphersuites",),
    "groups": ("curves",),
    "psk": ("PSKsecrets",),
    "psk_identity": ("PSKidentity",),
    "via": ("connect", "protocolUsername", "protocolPassword"),
    "source": ("local",),
    "proxy_send": ("protocol",),
    "balance": ("failover", "delay"),
    "connect_timeout_seconds": ("TIMEOUTconnect",),
    "handshake_timeout_seconds": ("TIMEOUTbusy",),
    "idle_timeout_seconds": ("TIMEOUTidle",),
    "close_timeout_seconds": ("TIMEOUTclose",),
}
"""The options that a key comes from; of those that are set the last one here is the likeliest culprit."""


def origins(section: InForce) -> dict[str, str]:
    """The place and option of each key that the section, or a default, sets: ``stunnel.conf:12: cert``."""
    found: dict[str, str] = {}
    for key, options in OPTIONS.items():
        for option in options:
            setting = section.last(option.lower())
            if setting is not None:
                found[key] = f"{setting.place}: {setting.name}"
    return found
