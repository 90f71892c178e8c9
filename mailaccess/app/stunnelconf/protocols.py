"""What is said before TLS begins: ``protocol`` and its like."""

from typing import Any
from urllib.parse import quote

from mailaccess.app.stunnelconf.addresses import host_and_port, target
from mailaccess.app.stunnelconf.lines import Setting
from mailaccess.app.stunnelconf.section import InForce

_STARTTLS = {"imap": "imap", "pop3": "pop3", "smtp": "smtp", "pgsql": "postgresql"}
_STARTTLS_OF_CLIENTS = {"ldap": "ldap", "nntp": "nntp"}
_SOCKS = "we are no SOCKS server; a client reaches one through a tunnel without protocol"


def protocol(section: InForce) -> dict[str, Any]:
    """The keys that ``protocol`` brings."""
    setting = section.last("protocol")
    name = setting.value.lower() if setting else ""
    client = section.yes("client")
    if name != "connect":
        _judge_credentials(section, name)
    if setting is None:
        return {}
    if name in _STARTTLS or (client and name in _STARTTLS_OF_CLIENTS):
        return {"protocol": (_STARTTLS | _STARTTLS_OF_CLIENTS)[name], "starttls": True}
    if name == "proxy" and not client:
        return {"proxy_send": "v1"}
    if name == "connect" and client:
        return _through_proxy(section, setting)
    if name == "socks":
        section.report.refuse(setting, _SOCKS)
    else:
        section.report.refuse(setting, _allowed(client))
    return {}


def _allowed(client: bool) -> str:
    names = (*_STARTTLS, *_STARTTLS_OF_CLIENTS, "connect") if client else (*_STARTTLS, "proxy")
    return f"{' '.join(names)} are possible in a {'client' if client else 'server'}"


def _through_proxy(section: InForce, protocol: Setting) -> dict[str, Any]:
    """``connect`` names the proxy, ``protocolHost`` the target."""
    authentication = section.last("protocolauthentication")
    if authentication and authentication.value.lower() != "basic":
        section.report.refuse(authentication, "basic is possible")
    host = section.last("protocolhost")
    proxies = section.all("connect")
    if host is None:
        section.report.refuse(protocol, "protocolHost = HOST:PORT is needed")
        return {}
    if len(proxies) != 1:
        section.report.refuse(protocol, "one connect = HOST:PORT, of the proxy, is needed")
        return {}
    try:
        far = target(":".join(map(str, host_and_port(host.value))))
    except ValueError as error:
        section.report.refuse(host, str(error))
        return {}
    return {"via": _via(section, proxies[0]), "connect": (far,)}


def _via(section: InForce, proxy: Setting) -> str:
    try:
        address = target(proxy.value)
    except ValueError as error:
        section.report.refuse(proxy, str(error))
        return ""
    if address.startswith("unix:"):
        section.report.refuse(proxy, "a proxy has HOST:PORT")
        return ""
    if address.isdigit():
        address = f"localhost:{address}"
    user = section.text("protocolusername")
    login = f"{quote(user, safe='')}:{quote(section.text('protocolpassword'), safe='')}@" if user else ""
    return f"http://{login}{address}"


def _judge_credentials(section: InForce, name: str) -> None:
    for key in ("protocolusername", "protocolpassword", "protocolauthentication"):
        setting = section.last(key)
        if setting and name == "smtp":
            section.report.refuse(setting, "clients log in to their mail server themselves")
        elif setting:
            section.report.ignore(setting, "it is for protocol = connect")
    host = section.last("protocolhost")
    if host:
        section.report.ignore(host, "it is for protocol = connect; in EHLO we say our own name")
