"""All options of stunnel 5.68, and those that came up to 5.76: what becomes of each.

``translate`` and its like read those that are ``UNDERSTOOD``; for the others the table is all there is.
docs/stunnel.md is written from it.
"""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from mailaccess.app.stunnelconf.lines import Setting, Text
from mailaccess.app.stunnelconf.report import Report


class Fate(Enum):
    """What becomes of an option."""

    UNDERSTOOD = "understood"
    IGNORED = "ignored, with a notice"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Option:
    """An option of stunnel, written as its manual has it.

    ``words``: what it becomes, why nothing depends on it, or why it is refused. ``unless`` has the values, in lower
    case, of an option that is ignored or refused which ask for what is so anyway: of them nothing is said.
    """

    name: str
    fate: Fate
    words: str
    unless: tuple[str, ...] = ()


_STDERR = "the log goes to standard error, where a service manager finds it"
_RANDOM = "OpenSSL asks the kernel for randomness"
_WINDOWS = "a matter of the window on Windows"
_PEM = "certificates and keys are read from PEM files alone"
_REVOCATION = "nobody is asked whether a certificate was revoked; verifyPeer and short-lived certificates do without"
_OPENSSL = "OpenSSL is set up by the options that have names of their own here"

_U, _I, _R = Fate.UNDERSTOOD, Fate.IGNORED, Fate.REFUSED

GLOBAL = (
    Option("chroot", _R, "all paths would mean others inside; RootDirectory= of a systemd unit does it"),
    Option("compression", _R, "TLS with compression gives secrets away (CRIME)"),
    Option("debug", _I, "the log has one level"),
    Option("EGD", _I, _RANDOM),
    Option("engine", _R, _PEM),
    Option("engineCtrl", _R, _PEM),
    Option("engineDefault", _R, _PEM),
    Option("fips", _R, "whether OpenSSL is in FIPS mode is a matter of its own configuration", ("no",)),
    Option(
        "foreground",
        _I,
        "the command stays in the foreground; a service manager puts it into the background",
        ("yes", "quiet"),
    ),
    Option("iconActive", _I, _WINDOWS),
    Option("iconError", _I, _WINDOWS),
    Option("iconIdle", _I, _WINDOWS),
    Option("log", _I, _STDERR, ("append",)),
    Option("output", _I, _STDERR),
    Option("pid", _U, "the process writes its number into this file; without a value, into none"),
    Option("provider", _R, _PEM),
    Option("providerParameter", _R, _PEM),
    Option("RNDbytes", _I, _RANDOM),
    Option("RNDfile", _I, _RANDOM),
    Option("RNDoverwrite", _I, _RANDOM),
    Option("service", _I, "in the log each tunnel has the name of its section"),
    Option("setEnv", _R, "programs have the environment of this process; Environment= of a systemd unit sets it"),
    Option("setgid", _U, "the process changes to this group when all sockets are bound"),
    Option("setuid", _U, "the process changes to this user when all sockets are bound"),
    Option("syslog", _I, _STDERR, ("no",)),
    Option("taskbar", _I, _WINDOWS),
)
"""Those that stand before the first section."""

SERVICE = (
    Option(
        "accept",
        _U,
        "`accept`; without a host all IPv4 addresses, `:::PORT` all of both kinds, as there on Linux; several lines: a "
        "tunnel for each. A section without `accept` serves a name of another one (`sni`), or is refused",
    ),
    Option("CAengine", _R, _PEM),
    Option("CAfile", _U, "`ca`"),
    Option("CApath", _U, "`ca`: a folder of PEM files, whatever their names; not beside CAfile"),
    Option("CAstore", _R, _PEM),
    Option("cert", _U, "`certificate`: PEM, not PKCS #12; a server needs it, or else PSKsecrets"),
    Option("checkEmail", _R, "mail addresses in certificates are not looked at"),
    Option(
        "checkHost",
        _U,
        "`host`, and `verify = full` beside verifyChain; without verifyChain or verifyPeer it is refused, as there, "
        "and in a server, where names of clients are not looked at; a certificate has the name as subjectAltName: a "
        "common name alone is not looked at",
    ),
    Option("checkIP", _U, "as checkHost, with an address"),
    Option("ciphers", _U, "`ciphers`"),
    Option("ciphersuites", _U, "`ciphersuites`"),
    Option("client", _U, "`client`"),
    Option("config", _R, _OPENSSL),
    Option("connect", _U, "`connect`; several lines are targets"),
    Option("CRLfile", _R, _REVOCATION),
    Option("CRLpath", _R, _REVOCATION),
    Option("curves", _U, "`groups`"),
    Option("debug", _I, "the log has one level"),
    Option("delay", _U, "names are always looked up late; `yes` brings `balance = priority`, as there"),
    Option("engineId", _R, _PEM),
    Option("engineNum", _R, _PEM),
    Option(
        "exec",
        _U,
        "`exec`; its descriptors 0 and 1 are a socket (`inetd`), as there. Not beside `connect`, nor in a client",
    ),
    Option(
        "execArgs",
        _U,
        "`exec`, and then `exec` is `exec_file`: the first word is the name that the program is told to have",
    ),
    Option("failover", _U, "`balance`: `rr` is `round-robin`, `prio` (default) is `priority`"),
    Option("ident", _R, "no IDENT server is asked who a client is; what it says proves nothing"),
    Option("include", _U, "the regular files of the folder, in the order of their names, stand in its place"),
    Option("key", _U, "`private_key`; default: `cert`"),
    Option(
        "libwrap",
        _R,
        "hosts.allow and hosts.deny are not read; a firewall, or IPAddressAllow= of a unit does it",
        ("no",),
    ),
    Option("local", _U, "`source`: an address, not a name"),
    Option("logId", _I, "each connection has a number in the log"),
    Option("OCSP", _R, _REVOCATION),
    Option("OCSPaia", _R, _REVOCATION, ("no",)),
    Option("OCSPflag", _R, _REVOCATION),
    Option("OCSPnonce", _R, _REVOCATION, ("no",)),
    Option("OCSPrequire", _R, _REVOCATION, ("no",)),
    Option("options", _U, "by value, see below"),
    Option(
        "protocol",
        _U,
        "`imap` `pop3` `smtp` `pgsql`, in a client `ldap` `nntp` too: `protocol` and `starttls`; `proxy` in a server: "
        "`proxy_send = v1`; `connect` in a client: `via`. `cifs`, `capwin`, `capwinctrl` and `socks` (where stunnel is "
        "a SOCKS server itself) are refused. Without it `protocol` is what the ports of `accept` and `connect` "
        "are for: a server that says something else is a mistake, which is logged",
    ),
    Option("protocolAuthentication", _U, "beside `protocol = connect`: `basic`; `ntlm` is refused"),
    Option("protocolDomain", _R, "it is for NTLM alone"),
    Option("protocolHeader", _R, "CONNECT is sent without further headers"),
    Option(
        "protocolHost",
        _U,
        "beside `protocol = connect`: the target, while `connect` is the proxy; elsewhere ignored, with a notice",
    ),
    Option("protocolPassword", _U, "beside `protocol = connect`: in `via`"),
    Option(
        "protocolUsername",
        _U,
        "beside `protocol = connect`: in `via`; refused beside `smtp`: clients log in themselves",
    ),
    Option("PSKidentity", _U, "`psk_identity` in a client, as there"),
    Option(
        "PSKsecrets",
        _U,
        "`psk`; not beside `cert` and what verifies: other clients, who show certificates, are refused",
    ),
    Option("pty", _U, "`pty`"),
    Option("redirect", _U, "`redirect`, beside verifyChain or verifyPeer in a server"),
    Option("renegotiation", _I, "nothing is negotiated twice (TLS 1.3 has no renegotiation)", ("no",)),
    Option("requireCert", _U, "`yes` beside verifyChain or verifyPeer; `no` after them is refused in a server"),
    Option("reset", _I, "a connection that fails is reset", ("yes",)),
    Option(
        "retry",
        _U,
        "ignored, with a notice: it is for sections with connect and exec, which are refused; how often targets are "
        "tried is `retries`",
    ),
    Option("securityLevel", _R, "OpenSSL's level 2 is in force; `ciphers = @SECLEVEL=3:…` sets another", ("2",)),
    Option("service", _I, "in the log each tunnel has the name of its section"),
    Option("sessionCacheSize", _I, "sessions are resumed by tickets, which clients keep"),
    Option("sessionCacheTimeout", _I, "sessions are resumed by tickets, whose keys change each day"),
    Option("sessiond", _R, "sessions are resumed by tickets, not by a server for them"),
    Option("sessionResume", _R, "clients may resume sessions; it spares them a round trip", ("yes",)),
    Option("setgid", _U, "refused where the section accepts on a Unix socket, whose group it would be; else ignored"),
    Option("setuid", _U, "refused where the section accepts on a Unix socket, whose owner it would be; else ignored"),
    Option(
        "sni",
        _U,
        "in a client `server_name`; empty is refused; `SERVICE:NAME` in a server: a table `[[tunnel.sni]]` of that "
        "service, which has `connect`, `cert` and `key` of its own and nothing else; `*.example.org` has names of one "
        "label more",
    ),
    Option("socket", _U, "by value, see below"),
    Option("sslVersion", _U, "`tls_minimum` and `tls_maximum`: `all`, `TLSv1.2` and `TLSv1.3`"),
    Option("sslVersionMax", _U, "`tls_maximum`: `all`, `TLSv1.2` and `TLSv1.3`"),
    Option("sslVersionMin", _U, "`tls_minimum`; below `TLSv1.2` it is 1.2, with a notice"),
    Option("stack", _I, "connections have no threads"),
    Option("ticketKeySecret", _I, "keys of tickets are our own: other machines do not resume sessions"),
    Option("ticketMacSecret", _I, "keys of tickets are our own: other machines do not resume sessions"),
    Option("TIMEOUTbusy", _U, "`handshake_timeout_seconds`; default: 30, not 300"),
    Option("TIMEOUTclose", _U, "`close_timeout_seconds`"),
    Option("TIMEOUTconnect", _U, "`connect_timeout_seconds`"),
    Option("TIMEOUTidle", _U, "`idle_timeout_seconds`; as in the others, more than a day is a day, with a notice"),
    Option("TIMEOUTocsp", _I, "no OCSP server is asked"),
    Option(
        "transparent",
        _R,
        "connections to targets come from this machine; `protocol = proxy` tells them the client's address",
        ("no", "none"),
    ),
    Option(
        "verify",
        _U,
        "0: none; 2: as verifyChain; 3 and 4: as verifyPeer; 1: in a client as 2, in a server refused",
    ),
    Option(
        "verifyChain",
        _U,
        "`verify = chain`, and `full` beside checkHost; a client without it, or without checkHost, brings a notice",
    ),
    Option("verifyPeer", _U, "`verify = peer`, also beside verifyChain: the certificate itself stands in CAfile"),
)
"""Those of a section; before the first section they are defaults."""

_GLOBAL = {option.name.lower(): option for option in GLOBAL}
_SERVICE = {option.name.lower(): option for option in SERVICE}
_MAY_BE_EMPTY = frozenset({"pid", "cafile", "capath"})  # which takes back what a default says
_NAMES = {option.name.lower(): option.name for option in (*GLOBAL, *SERVICE)}


def sort_out(text: Text, report: Report) -> None:
    """Say what there is to say of options that are ignored, refused, unknown or in the wrong place."""
    for setting in text.defaults:
        _look_at(setting, _GLOBAL.get(setting.key) or _SERVICE.get(setting.key), report)
    for section in text.sections:
        for setting in section.settings:
            _look_at(setting, _SERVICE.get(setting.key), report)


def service_defaults(settings: Iterable[Setting]) -> tuple[Setting, ...]:
    """Those of the settings before the first section that are defaults of sections."""
    return tuple(setting for setting in settings if setting.key not in _GLOBAL)


def _look_at(setting: Setting, option: Option | None, report: Report) -> None:
    if option is None:
        report.refuse(setting, _unknown(setting.key))
    elif setting.value.lower() in option.unless:
        return
    elif option.fate is Fate.UNDERSTOOD and not setting.value and setting.key not in _MAY_BE_EMPTY:
        report.refuse(setting, "a value is needed")
    elif option.fate is Fate.REFUSED:
        report.refuse(setting, option.words)
    elif option.fate is Fate.IGNORED:
        report.ignore(setting, option.words)


def _unknown(key: str) -> str:
    if key in _GLOBAL:
        return "this option stands before the first section"
    close = difflib.get_close_matches(key, _NAMES, 1)
    return f"stunnel has no such option; did you mean {_NAMES[close[0]]}?" if close else "stunnel has no such option"
