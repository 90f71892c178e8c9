"""CAPA's list, computed from how the session stands (RFC 2449 §5 and §6)."""

from mailaccess.pop3.context import Context, State


def capabilities(context: Context) -> list[str]:
    """What may be used in this session, one capability a line.

    What a client could use before login stays listed after it (RFC 2449 §5, RFC 5034 §3); STLS is listed where it is
    permitted (RFC 2595 §4). Nothing that asks for a password is listed before TLS.
    """
    listed = ["TOP", "UIDL", "RESP-CODES", "AUTH-RESP-CODE", "PIPELINING", "EXPIRE NEVER", "LOGIN-DELAY 0"]
    if context.passwords_allowed:
        listed += ["USER", " ".join(("SASL", *context.server.mechanisms))]
    if context.state is State.AUTHORIZATION and context.can_start_tls and not context.tls:
        listed.append("STLS")
    listed += ["UTF8 USER", "LANG"]
    if context.state is State.TRANSACTION:
        listed.append(f"IMPLEMENTATION {context.server.implementation}")
    return listed
