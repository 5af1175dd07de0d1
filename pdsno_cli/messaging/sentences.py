"""What went wrong with a broker, in one sentence each that a person can act on."""

from __future__ import annotations

import socket
import ssl

# Reason codes of CONNACK and DISCONNECT (MQTT 5.0 section 2.4) that time may cure.
_TRANSIENT = frozenset({0x00, 0x80, 0x83, 0x88, 0x89, 0x8B, 0x8D, 0x93, 0x96, 0x97, 0x98, 0x9F})
TAKEN_OVER = 0x8E
NOT_AUTHORISED = 0x87
_BAD_CREDENTIALS = 0x86


def is_fatal(code: int) -> bool:
    """Whether a broker that says reason code ``code`` will say it again at every attempt."""
    return code not in _TRANSIENT


def failure(where: str, error: Exception) -> str:
    """Say why no connection to ``where`` came about."""
    match error:
        case socket.gaierror():
            why = f"the host name does not resolve ({error.strerror})"
        case ssl.SSLCertVerificationError():
            why = f"the broker's certificate is not trusted ({error.verify_message})"
        case ssl.SSLError():
            why = f"TLS failed ({error.reason or error}); does the broker speak TLS there?"
        case ConnectionRefusedError():
            why = "connection refused; no broker listens there"
        case TimeoutError():
            why = "no answer"
        case ConnectionError():
            why = "the connection was closed at once; do both ends speak TLS, or neither?"
        case UnicodeError():
            why = "that is no host name"
        case _:
            why = getattr(error, "strerror", None) or str(error)
    return f"{where}: {why}"


def refused(where: str, code: int, text: str, client_id: str, username: str | None) -> str:
    """Say what the broker's reason code for a connection means."""
    if code in (_BAD_CREDENTIALS, NOT_AUTHORISED):
        who = f"user name {username!r}" if username is not None else "a client without user name"
        return f"{where}: the broker refuses the credentials of {who} ({text})"
    if code == TAKEN_OVER:
        return taken_over(where, client_id, "this process", "")
    return f"{where}: the broker refuses the connection of {client_id!r} ({text})"


def taken_over(where: str, client_id: str, ours: str, rival: str) -> str:
    """Say that two processes use one client id; ``rival`` is empty when nobody knows it."""
    who = f"another process ({rival})" if rival else "another process"
    return (
        f"{where}: {who} connected with client id {client_id!r} and took the session over from "
        f"{ours}; stop one of the two"
    )


def evicted(where: str, client_id: str, times: int) -> str:
    """Say that the broker accepts a client and closes on it, which MQTT 3.1.1 gives no reason for."""
    return (
        f"{where}: the broker closed the connection of {client_id!r} {times} times right after "
        f"accepting it; another process may use the same client id, or may not publish what it does"
    )
