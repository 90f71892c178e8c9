"""The keys of a tunnel, as an operator writes them: a table ``[[tunnel]]``, or the options of ``mailaccess tunnel``."""

from dataclasses import dataclass

from mailaccess.app.keys import config_key

PROTOCOLS = ("", "none", "imap", "pop3", "smtp", "nntp", "ldap", "postgresql")
VERIFY = ("", "none", "chain", "full", "peer")
BALANCE = ("round-robin", "priority", "least-connections")
TLS_VERSIONS = ("", "1.2", "1.3")
PROXY_VERSIONS = ("", "v1", "v2")


@dataclass(frozen=True, slots=True)
class TunnelRoute:
    """Where clients go that ask for a host name (SNI): a table ``[[tunnel.sni]]``."""

    name: str = config_key("", "Host name; *.example.org has every name with one label more.", value="NAME")
    connect: tuple[str, ...] = config_key((), "Targets; default: the tunnel's own.", value="TARGET")
    certificate: str = config_key("", "PEM file; default: the tunnel's own.", value="PEM")
    private_key: str = config_key("", "PEM file of its key; default: the certificate's file.", value="PEM")


@dataclass(frozen=True, slots=True)
class TunnelTable:
    """A service: where clients come in, where they go, and which of the two sides speaks TLS."""

    name: str = config_key("", "What the log calls it; default: what it accepts.", value="NAME")
    accept: str = config_key(
        "", "Where clients come in: a service (pop3s), PORT, HOST:PORT or an endpoint.", value="EP"
    )
    connect: tuple[str, ...] = config_key(
        (), "Where they go: HOST:PORT, PORT or SERVICE of this machine, unix:PATH; several are targets.", value="TARGET"
    )
    exec: tuple[str, ...] = config_key((), "A program for each connection, with its arguments.", value="PROGRAM")
    exec_file: str = config_key("", "The program's file, where the first word of exec is another name.", value="PATH")
    inetd: bool = config_key(False, "The program gets a socket as its descriptors 0 and 1, as from inetd.")
    pty: bool = config_key(False, "The program gets a terminal.")
    client: bool = config_key(False, "Accept in clear on a local address, and speak TLS to the other side.")
    protocol: str = config_key(
        "", "What passes through; default: as the service's name says.", value="NAME", choices=PROTOCOLS
    )
    starttls: bool = config_key(
        False, "TLS begins with the protocol's own command (STARTTLS, STLS) on the side that has it."
    )

    certificate: str = config_key("", "PEM file: the certificate that we show, then its chain.", value="PEM")
    private_key: str = config_key("", "PEM file of its key; default: the certificate's file.", value="PEM")
    sni: tuple[TunnelRoute, ...] = config_key((), "Other targets or certificates, by the name that a client asks for.")
    ca: str = config_key(
        "", "PEM file of those who vouch for the other side; client: default, the system's.", value="PEM"
    )
    verify: str = config_key(
        "",
        "Of the other side: none, chain (from a CA), full (and its host name), peer (itself in the CA file); "
        "client: full, server: none.",
        value="HOW",
        choices=VERIFY,
    )
    host: tuple[str, ...] = config_key(
        (), "Host names, one of which a server must have; default: the target's.", value="NAME"
    )
    server_name: str = config_key("", "Host name to ask for (SNI); default: the target's.", value="NAME")
    pin: tuple[str, ...] = config_key(
        (), "SHA-256 of the other side's public key, in base64 (sha256//…, as curl writes it).", value="HASH"
    )
    redirect: tuple[str, ...] = config_key(
        (), "Where clients go whose certificate is not good; else refused.", value="TARGET"
    )
    tls_minimum: str = config_key("", "Lowest version of TLS; 1.2.", value="VERSION", choices=TLS_VERSIONS)
    tls_maximum: str = config_key("", "Highest version of TLS; 1.3.", value="VERSION", choices=TLS_VERSIONS)
    ciphers: str = config_key("", "OpenSSL's cipher list for TLS 1.2; default: Mozilla's intermediate.", value="LIST")
    ciphersuites: str = config_key("", "OpenSSL's list for TLS 1.3; default: all three.", value="LIST")
    groups: str = config_key("", "Groups of the key exchange; default: X25519:P-256:P-384.", value="LIST")
    psk: str = config_key(
        "", "File of pre-shared keys, each line IDENTITY:HEX; TLS without certificates.", value="FILE"
    )
    psk_identity: str = config_key("", "Client: which of them; default: the first.", value="NAME")

    via: str = config_key(
        "", "A proxy on the way out: http:// socks5:// socks4a:// socks4:// [USER:PASS@]HOST:PORT", value="URL"
    )
    source: str = config_key("", "Address of this machine for connections to targets.", value="ADDRESS")
    proxy_from: tuple[str, ...] = config_key(
        (), "Networks whose connections begin with the PROXY protocol (v1 or v2); others may not.", value="NETWORK"
    )
    proxy_send: str = config_key(
        "", "Begin connections to targets with the PROXY protocol.", value="VERSION", choices=PROXY_VERSIONS
    )
    balance: str = config_key("round-robin", "Which of several targets is next.", value="HOW", choices=BALANCE)
    health_seconds: float = config_key(10.0, "How often each of several targets is asked whether it is well; 0: never.")
    retries: int = config_key(1, "How often all targets are tried again, a second apart, before a client is refused.")

    connections: int = config_key(10_000, "At once; more are refused.")
    connections_per_address: int = config_key(200, "At once from one address (IPv6: /64) at a server side.")
    connect_timeout_seconds: float = config_key(10.0, "Until a target has taken the connection.")
    handshake_timeout_seconds: float = config_key(30.0, "For TLS and all that is said before octets pass through.")
    idle_timeout_seconds: float = config_key(43200.0, "Without an octet in either direction, then closed.")
    close_timeout_seconds: float = config_key(
        60.0, "For the second direction, without an octet, once the first has ended."
    )
