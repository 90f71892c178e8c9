"""Writes the pages of docs that the source knows better (``PAGES``). ``--check`` only compares."""

import dataclasses
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT))

from mailaccess.app.config import Configuration  # noqa: E402
from mailaccess.app.stunnelconf import openssl  # noqa: E402
from mailaccess.app.stunnelconf.options import GLOBAL, SERVICE, Option  # noqa: E402
from mailaccess.app.tunnel_table import TunnelRoute, TunnelTable  # noqa: E402
from mailaccess.ops.limits import Limits  # noqa: E402

REFERENCE = re.compile(r"RFC (\d{3,5})((?:,? ?(?:and )?§\d+(?:\.\d+)*)*)")
PARAGRAPH = re.compile(r"§(\d+(?:\.\d+)*)")


EXAMPLE = """\
Ports below 1024 need root or `CAP_NET_BIND_SERVICE`; where a default port may not be bound and none was named, the one
1000 above it is taken. `SIGHUP` reads certificates and users again, and they are looked at every `reload_seconds`. User
names are compared as they are written: `Joe` is not `joe`. After a wrong password an address waits 1 second, and up to
15 when it goes on.

```toml
maildir = "/var/mail/%d/%n"
users = "/etc/mailaccess/users"
certificate = "/etc/ssl/mail.example.org/fullchain.pem"
private_key = "/etc/ssl/mail.example.org/privkey.pem"
imap = "off"
pop3 = "[::1]:110"

[[sni]]                       # for clients that ask for a name in this certificate
certificate = "/etc/ssl/mail.example.net/fullchain.pem"
private_key = "/etc/ssl/mail.example.net/privkey.pem"

[limits]
append_bytes = 52428800
```
"""

TUNNEL = """\
## `[[tunnel]]`

Each table is a tunnel beside the server; the same keys are the options of `mailaccess tunnel` (`proxy_from` is
`--proxy-from`).

```toml
[[tunnel]]                    # a POP3 daemon that knows no TLS
accept = "pop3s"
exec = ["popa3d"]

[[tunnel]]                    # a mail program that knows none, and a server that demands it
client = true
accept = "127.0.0.1:1430"
connect = "imap.example.org:imaps"
```
"""


def configuration() -> str:
    """docs/configuration.md: each key with its sentence, unit and default."""
    lines = [
        "# Configuration",
        "",
        "TOML, given with `--config FILE.toml`. Every key is also an option of `twistd mailaccess` (`private_key` is",
        "`--private-key`), and the command line wins. Unknown keys are errors. `mailaccess config show` prints what is",
        "in force and where each value came from. A unit stands in a key's name.",
        "",
        "| key | default | meaning |",
        "|---|---|---|",
    ]
    lines += _keys(Configuration)
    lines += ["", *EXAMPLE.splitlines()]
    lines += ["", *TUNNEL.splitlines(), "", "| key | default | meaning |", "|---|---|---|", *_keys(TunnelTable)]
    lines += [
        "",
        "In a table `[[tunnel.sni]]`:",
        "",
        "| key | default | meaning |",
        "|---|---|---|",
        *_keys(TunnelRoute),
    ]
    lines += ["", "## `[limits]`", "", "| key | default | reason |", "|---|---|---|"]
    lines += [f"| `{k.name}` | {k.default} | {k.metadata['words']} |" for k in dataclasses.fields(Limits)]
    return "\n".join(lines) + "\n"


def _keys(table: type) -> Iterator[str]:
    for key in dataclasses.fields(table):
        default = key.default if key.default is not dataclasses.MISSING else ""
        shown = f"`{str(default).lower() if isinstance(default, bool) else default}`" if default not in ("", ()) else ""
        choices = " or ".join(f"`{choice}`" for choice in key.metadata.get("choices", ()) if choice)
        allowed = f" Allowed: {choices}." if choices else ""
        yield f"| `{key.name}` | {shown} | {key.metadata['words']}{allowed} |"


def rfcs() -> str:
    """docs/rfcs.md: where each RFC stands in the source."""
    titles = dict(line.split("\t") for line in (PROJECT / "docs/rfcs.tsv").read_text().splitlines())
    cited: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for path in sorted((PROJECT / "mailaccess").rglob("*.py")):
        for found in REFERENCE.finditer(path.read_text()):
            for paragraph in PARAGRAPH.findall(found[2]) or [""]:
                cited[found[1]][paragraph].add(str(path.relative_to(PROJECT)))
    missing = sorted(set(cited) - set(titles), key=int)
    if missing:
        raise SystemExit(f"docs/rfcs.tsv has no title for RFC {', '.join(missing)}")
    lines = ["# The RFCs, and where they stand in the source", "", "Written by `make docs` from the source.", ""]
    for number in sorted(cited, key=int):
        lines += [f"## RFC {number}: {titles[number]}", ""]
        for paragraph in sorted(cited[number], key=lambda text: [int(part) for part in text.split(".") if part]):
            files = ", ".join(f"`{name}`" for name in sorted(cited[number][paragraph]))
            lines.append(f"- {'§' + paragraph if paragraph else 'as a whole'}: {files}")
        lines.append("")
    return "\n".join(lines)


STUNNEL = """\
# What becomes of an stunnel.conf

`mailaccess tunnel --stunnel-conf FILE` reads the configuration of stunnel 5.68, and the options that came up to 5.76.
Each section is a tunnel with the keys of [configuration.md](configuration.md); options before the first section are
defaults of all sections. What is done in another way than there stands in the table.

- **Refused** options are not passed over: the command ends with status 2 and one line, which has the first of them with
  its reason, and the lines of all others. Values that ask for what is so anyway are allowed.
- **Ignored** options change nothing that a client or a server could notice; the command names each with its line, but
  for values that ask for what is so anyway.
- A client of stunnel verifies nothing unless it is told to, and then no host name unless it is told to. This is done as
  it stands in the file, and a notice says which lines are missing.
- What no option there says has our own defaults: several targets are asked every 10 seconds whether they are well, and
  10,000 connections are taken at once, but also from one address.
- Without any section the one tunnel serves the connection on descriptor 0, as inetd gives it.
- Names of files are relative to the working directory.
"""


def stunnel() -> str:
    """docs/stunnel.md: each option of stunnel, and what becomes of it."""
    lines = STUNNEL.splitlines()
    for title, options in (("Before the first section", GLOBAL), ("In a section, or before the first", SERVICE)):
        lines += ["", f"## {title}", "", "| option | | what becomes of it, or why |", "|---|---|---|"]
        lines += [_stunnel_option(option) for option in options]
    lines += ["", "## Values of `options`", "", "Names of OpenSSL; all others are refused.", ""]
    lines.append(f"- so anyway: {_codes(openssl.SO_ANYWAY)}, `-NO_TICKET`")
    lines.append(f"- understood, also with `-`: {_codes(openssl.VERSIONS)}: `tls_minimum`, `tls_maximum`")
    lines.append(f"- ignored, with a notice, also with `-`: {_codes(openssl.WITHOUT_EFFECT)}")
    lines += ["", "## Values of `socket`", "", "For each of the three sockets; all others are refused.", ""]
    lines.append(f"- so anyway: {_codes(f'{name}=yes' for name in openssl.SOCKET_SO_ANYWAY)}")
    lines.append(f"- understood: `a:{openssl.ONLY_IPV6}=yes` beside `accept = :::PORT`: `[::]:PORT`")
    lines.append(f"- ignored, with a notice: {_codes(openssl.SOCKET_WITHOUT_EFFECT)}")
    return "\n".join(lines) + "\n"


def _stunnel_option(option: Option) -> str:
    allowed = f"; so anyway: {_codes(option.unless)}" if option.unless else ""
    return f"| `{option.name}` | {option.fate.value} | {option.words}{allowed} |"


def _codes(names: Iterable[str]) -> str:
    return " ".join(f"`{name}`" for name in names)


PAGES = {"docs/configuration.md": configuration, "docs/stunnel.md": stunnel, "docs/rfcs.md": rfcs}


def main() -> None:
    """Write the pages, or say which differ."""
    for name, page in PAGES.items():
        path = PROJECT / name
        text = page()
        if "--check" not in sys.argv:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            raise SystemExit(f"{name} is not what the source says: run make docs")


if __name__ == "__main__":
    main()
