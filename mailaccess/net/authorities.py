"""Those who vouch for the other side: the certificates that an operator keeps in a file, or in a directory of files."""

from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from OpenSSL import SSL

from mailaccess.errors import ConfigError
from mailaccess.net.certificates import stamp

_FILE_BYTES = 8 << 20  # all the authorities of a system have a quarter MiB
_PEM_LABEL_END = b"CERTIFICATE-----"  # OpenSSL's files have X509 and TRUSTED before it too
_NO_CERTIFICATE = "there is no certificate in PEM format in it"


@dataclass(frozen=True, slots=True)
class Authorities:
    """The files that have certificates in them. Everything raises ``ConfigError`` where one cannot be read."""

    place: Path
    files: tuple[Path, ...]

    @classmethod
    def find(cls, place: Path) -> "Authorities":
        """Those in ``place``; a directory's other files are left alone."""
        try:
            files = tuple(path for path in _candidates(place) if _PEM_LABEL_END in _read(path))
        except OSError as error:
            raise ConfigError("ca", str(error.filename or place), f"it cannot be read ({error.strerror})") from error
        if not files:
            raise ConfigError("ca", str(place), _NO_CERTIFICATE)
        return cls(place, files)

    def certificates(self) -> list[x509.Certificate]:
        """All of them."""
        found: list[x509.Certificate] = []
        for path in self.files:
            try:
                found += x509.load_pem_x509_certificates(_read(path))
            except (OSError, ValueError) as error:
                raise ConfigError("ca", str(path), _NO_CERTIFICATE) from error
        return found

    def load_into(self, context: SSL.Context) -> None:
        """Trust them in ``context``, which was not used yet."""
        for path in self.files:
            try:
                context.load_verify_locations(path)
            except SSL.Error as error:
                raise ConfigError("ca", str(path), _NO_CERTIFICATE) from error


def look(place: Path) -> object:
    """How the files in ``place`` are now, for who follows them."""
    try:
        return [(path, stamp(path)) for path in _candidates(place)]
    except OSError:  # gone for the moment, or for ever: reading it says which
        return None


def _candidates(place: Path) -> list[Path]:
    return sorted(path for path in place.iterdir() if path.is_file()) if place.is_dir() else [place]


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_FILE_BYTES)
