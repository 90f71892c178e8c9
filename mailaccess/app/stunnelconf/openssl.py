"""The values of ``options`` (names of OpenSSL's) and ``socket`` (of socket options).

Some ask for what is so anyway, some are ignored since nothing depends on them; all others are refused.
"""

from mailaccess.app.stunnelconf.lines import Setting
from mailaccess.app.stunnelconf.report import Report
from mailaccess.app.stunnelconf.section import InForce

SO_ANYWAY = (
    "NO_SSLv2",
    "NO_SSLv3",
    "NO_TLSv1",
    "NO_TLSv1_1",
    "NO_COMPRESSION",
    "NO_RENEGOTIATION",
    "NO_SESSION_RESUMPTION_ON_RENEGOTIATION",
    "SINGLE_DH_USE",
    "SINGLE_ECDH_USE",
    "ENABLE_MIDDLEBOX_COMPAT",
    "ALL",
)
"""``options`` that are always in force."""

VERSIONS = ("NO_TLSv1_2", "NO_TLSv1_3")
"""``options`` that become ``tls_minimum`` and ``tls_maximum``."""

WITHOUT_EFFECT = (
    "CIPHER_SERVER_PREFERENCE",
    "PRIORITIZE_CHACHA",
    "DONT_INSERT_EMPTY_FRAGMENTS",
    "TLSEXT_PADDING",
    "SAFARI_ECDHE_ECDSA_BUG",
    "CRYPTOPRO_TLSEXT_BUG",
    "CLEANSE_PLAINTEXT",
    "ENABLE_KTLS",
    "IGNORE_UNEXPECTED_EOF",
    "COOKIE_EXCHANGE",
    "CISCO_ANYCONNECT",
    "NO_QUERY_MTU",
    "NO_DTLSv1",
    "NO_DTLSv1_2",
    "NO_DTLS_MASK",
    "EPHEMERAL_RSA",
    "MICROSOFT_BIG_SSLV3_BUFFER",
    "MICROSOFT_SESS_ID_BUG",
    "MSIE_SSLV2_RSA_PADDING",
    "NETSCAPE_CA_DN_BUG",
    "NETSCAPE_CHALLENGE_BUG",
    "NETSCAPE_DEMO_CIPHER_CHANGE_BUG",
    "NETSCAPE_REUSE_CIPHER_CHANGE_BUG",
    "PKCS1_CHECK_1",
    "PKCS1_CHECK_2",
    "SSLEAY_080_CLIENT_DH_BUG",
    "SSLREF2_REUSE_CERT_TYPE_BUG",
    "TLS_BLOCK_PADDING_BUG",
    "TLS_D5_BUG",
    "TLS_ROLLBACK_BUG",
)
"""``options``, also with ``-``, that are preferences, or of DTLS, or of versions of OpenSSL or clients long gone."""

SOCKET_SO_ANYWAY = ("TCP_NODELAY", "SO_REUSEADDR")
"""``socket`` options that are always on."""

ONLY_IPV6 = "IPV6_V6ONLY"
"""The ``socket`` option that is understood, for sockets that accept."""

SOCKET_WITHOUT_EFFECT = (
    "SO_KEEPALIVE",
    "TCP_KEEPCNT",
    "TCP_KEEPIDLE",
    "TCP_KEEPINTVL",
    "SO_LINGER",
    "SO_RCVBUF",
    "SO_SNDBUF",
    "SO_RCVLOWAT",
    "SO_SNDLOWAT",
    "SO_DEBUG",
)
"""``socket`` options of how fast something goes, or of when a lost peer is noticed: for that there are time-outs."""

_FLAGS = ("yes", "no", "1", "0")
_SO_ANYWAY = {name.lower() for name in SO_ANYWAY} | {"-no_ticket", "-no_tlsv1_2", "-no_tlsv1_3"}
_VERSIONS = {name.lower() for name in VERSIONS}
_WITHOUT_EFFECT = {sign + name.lower() for name in WITHOUT_EFFECT for sign in ("", "-")}


def excluded_versions(section: InForce) -> dict[str, Setting]:
    """Which of ``no_tlsv1_2`` and ``no_tlsv1_3`` are in force after all lines ``options``; other values are judged."""
    excluded: dict[str, Setting] = {}
    for setting in section.all("options"):
        name = setting.value.lower().replace(".", "_")
        if name in _VERSIONS:
            excluded[name] = setting
        elif name in _SO_ANYWAY:
            excluded.pop(name.removeprefix("-"), None)
        elif name in _WITHOUT_EFFECT:
            section.report.ignore(setting, "nothing depends on it with TLS 1.2 and 1.3")
        else:
            section.report.refuse(setting, "docs/stunnel.md has those that are possible")
    return excluded


def only_ipv6(section: InForce) -> bool:
    """Whether a socket that accepts on all IPv6 addresses leaves IPv4 alone, as ``socket = a:IPV6_V6ONLY=yes`` asks."""
    given = [setting.value.lower() for setting in section.all("socket") if f"a:{ONLY_IPV6}=" in setting.value]
    return bool(given) and given[-1].endswith(("=yes", "=1"))


def judge_sockets(section: InForce) -> None:
    """Look at the lines ``socket``."""
    for setting in section.all("socket"):
        _judge_socket(setting, section.report)


def _judge_socket(setting: Setting, report: Report) -> None:
    """``socket = (a / l / r) ":" name "=" value``."""
    side, colon, option = setting.value.partition(":")
    name, equals, value = option.partition("=")
    if side not in ("a", "l", "r") or not colon or not equals:
        report.refuse(setting, "a:, l: or r:, then OPTION=VALUE is needed")
    elif name == ONLY_IPV6:
        if value.lower() not in _FLAGS:
            report.refuse(setting, "yes or no is allowed")
    elif name in SOCKET_SO_ANYWAY:
        if value.lower() not in ("yes", "1"):
            report.refuse(setting, "it is always on")
    elif name in SOCKET_WITHOUT_EFFECT:
        report.ignore(setting, "the kernel's own choice is good")
    else:
        report.refuse(setting, "docs/stunnel.md has those that are possible")
