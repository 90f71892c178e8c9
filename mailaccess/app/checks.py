"""What can be said of a configuration before anything is made or bound: for ``config check``, and for each start."""

from ipaddress import ip_address
from pathlib import Path

from mailaccess.app.config import Configuration
from mailaccess.app.offered import SERVICES
from mailaccess.app.places import CERTIFICATE, state_folder, users_file
from mailaccess.errors import ConfigError
from mailaccess.net.certificates import CertificateFiles
from mailaccess.net.endpoints import UNPRIVILEGED_OFFSET, Endpoint, parse_endpoint


def check(config: Configuration) -> None:
    """Raise ``ConfigError`` for the first thing that cannot be."""
    users_files(config)
    if not any(endpoints(config).values()):
        raise ConfigError("--imaps", config.imaps, "no listener is left: at least one must be on")
    check_addresses(config)
    for files in certificate_files(config):
        files.read()


def check_addresses(config: Configuration) -> None:
    """Raise ``ConfigError`` for a proxy that is not named by its address."""
    for address in config.trusted_proxy:
        try:
            ip_address(address)
        except ValueError:
            raise ConfigError("--trusted-proxy", address, "an IPv4 or IPv6 address is allowed") from None


def endpoints(config: Configuration) -> dict[str, Endpoint | None]:
    """Where each service is to listen, None for ``off``, by its key."""
    return {
        service.key: parse_endpoint(getattr(config, service.key), f"--{service.key}", service.port)
        for service in SERVICES
    }


def users_files(config: Configuration) -> list[Path]:
    """The users files, in order of asking."""
    paths = []
    for spec in config.auth:
        kind, _, path = spec.partition(":")
        if kind != "passwdfile" or not path:
            raise ConfigError("--auth", spec, "passwdfile:FILE is allowed")
        paths.append(Path(path))
    return paths or [users_file(config)]


def certificate_files(config: Configuration) -> list[CertificateFiles]:
    """The certificates that are named, the default first where there is one."""
    options = ("--certificate", "--private-key")
    named = [(config.certificate, config.private_key, options)] if config.certificate else []
    named += [(one.certificate, one.private_key, ("sni.certificate", "sni.private_key")) for one in config.sni]
    return [CertificateFiles(Path(chain), Path(key or chain), *keys) for chain, key, keys in named]


def defaults_in_force(config: Configuration) -> dict[str, str]:
    """What stands for the keys that say nothing, as far as it follows from others."""
    found = {
        service.key: f"{service.port}, or {service.port + UNPRIVILEGED_OFFSET} where that may not be bound"
        for service in SERVICES
    }
    if config.maildir:
        state = state_folder(config)
        found |= {"users": str(users_file(config)), "state": str(state), "certificate": str(state / CERTIFICATE)}
    return {key: value for key, value in found.items() if not getattr(config, key)}
