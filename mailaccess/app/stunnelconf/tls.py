"""Certificates, versions, ciphers, and keys that are shared beforehand."""

from typing import Any

from mailaccess.app.stunnelconf.lines import Setting
from mailaccess.app.stunnelconf.openssl import excluded_versions
from mailaccess.app.stunnelconf.section import InForce

_OLD = frozenset({"sslv2", "sslv3", "tlsv1", "tlsv1.0", "tlsv1.1"})
_VERSIONS = {"all": "", "tlsv1.2": "1.2", "tlsv1.3": "1.3"}


def tls(section: InForce) -> dict[str, Any]:
    """The keys of the TLS side, but for those that verify the other side."""
    certificate, keys = section.last("cert"), section.last("psksecrets")
    if certificate and keys:
        section.report.refuse(certificate, "either cert or PSKsecrets is possible")
    return {
        "certificate": _pem(section, "cert"),
        "private_key": _pem(section, "key") if certificate else "",
        "ciphers": section.text("ciphers"),
        "ciphersuites": section.text("ciphersuites"),
        "groups": section.text("curves"),
        "psk": keys.value if keys else "",
        "psk_identity": section.text("pskidentity") if keys and section.yes("client") else "",
        **_versions(section),
    }


def _pem(section: InForce, key: str) -> str:
    setting = section.last(key)
    if setting and setting.value.lower().startswith("pkcs11:"):
        section.report.refuse(setting, "certificates and keys are read from PEM files alone")
    return setting.value if setting else ""


def _versions(section: InForce) -> dict[str, str]:
    lowest, highest = "", ""
    for setting in section.settings:
        if setting.key == "sslversion":
            lowest = highest = _version(section, setting)
        elif setting.key == "sslversionmax":
            highest = _version(section, setting)
        elif setting.key == "sslversionmin":
            lowest = _lowest(section, setting)
    excluded = excluded_versions(section)
    if "no_tlsv1_2" in excluded:
        lowest = "1.3"
    if "no_tlsv1_3" in excluded:
        highest = "1.2"
    if lowest == "1.3" and highest == "1.2":
        section.report.refuse_section(section.section, "no version", "TLS 1.2 or TLS 1.3 must be left")
    return {"tls_minimum": lowest, "tls_maximum": highest}


def _version(section: InForce, setting: Setting) -> str:
    if setting.value.lower() not in _VERSIONS:
        section.report.refuse(setting, "all, TLSv1.2 and TLSv1.3 are allowed; those before are not spoken")
    return _VERSIONS.get(setting.value.lower(), "")


def _lowest(section: InForce, setting: Setting) -> str:
    if setting.value.lower() in _OLD:
        section.report.notice(setting.place, section.section, f"{setting.value} is not spoken: TLS 1.2 is the lowest")
        return ""
    return _version(section, setting)
