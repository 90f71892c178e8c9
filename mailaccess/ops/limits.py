"""Every limit that an operator may set, with its unit and its reason. Defaults are for a server on the open network."""

from dataclasses import dataclass, field

KIB = 1024
MIB = 1024 * KIB


def _limit(default: int, words: str) -> int:
    limit: int = field(default=default, metadata={"words": words})
    return limit


@dataclass(frozen=True, slots=True)
class Limits:
    """The ``[limits]`` table of the configuration."""

    connections_per_user_and_address: int = _limit(
        20, "Then NO [LIMIT] or -ERR [IN-USE]: mail programs open 5 to 10, families share an address."
    )

    connections_per_address: int = _limit(200, "A whole office behind one address.")

    unauthenticated_connections: int = _limit(1000, "The oldest goes first; authenticated sessions are never hurt.")

    unauthenticated_connections_per_address: int = _limit(50, "One address cannot push out everybody else's logins.")

    login_timeout_seconds: int = _limit(60, "From connection to login, however busy the client looks.")

    bad_commands_before_login: int = _limit(10, "Then BYE: it is not a mail program.")

    bad_commands: int = _limit(50, "Then BYE, after login: a broken client would go on for ever.")

    line_bytes_before_login: int = _limit(
        8 * KIB, "A command line, its literals included; RFC 7888 §5 allows non-synchronising literals of 4096 octets."
    )

    line_bytes: int = _limit(
        64 * KIB,
        "A command without its literals. The longest seen from a client is 677 octets; RFC 7162 §4 asks for 8192.",
    )

    literal_memory_bytes: int = _limit(
        64 * KIB, "A literal larger than this goes to a temporary file; no other literal than APPEND's may be larger."
    )

    append_bytes: int = _limit(100 * MIB, "APPENDLIMIT (RFC 7889): a message that a client may store.")

    output_buffer_bytes: int = _limit(
        1 * MIB,
        "What is read for a client at once, and so what one that does not take it holds in the server's memory.",
    )

    queued_commands: int = _limit(
        200, "Pipelined commands that wait; reading pauses beyond. mbsync keeps 80 in flight."
    )

    idle_timeout_seconds: int = _limit(35 * 60, "IMAP autologout (RFC 9051 §5.4: at least 30 minutes).")

    pop3_idle_timeout_seconds: int = _limit(10 * 60, "POP3 autologout (RFC 1939 §3: at least 10 minutes).")

    write_stall_seconds: int = _limit(5 * 60, "A client that takes nothing of what is ready for it this long is gone.")
