"""Error sentences about brokers, each with what to check."""

from __future__ import annotations

import socket
import ssl

from pdsno_cli.messaging.transport import Alarm

TAKEN_OVER = 0x8E  # reason code of DISCONNECT (MQTT 5.0 section 2.4)
_NOT_AUTHORISED = 0x87
_BAD_CREDENTIALS = 0x86
# Reason codes of PUBACK (MQTT 5.0 section 3.4.2.1), and one more that brokers use and paho does not
# know.
_REFUSALS = {
    0x80: "unspecified error",
    0x83: "implementation specific error",
    0x87: "not authorised",
    0x90: "topic name invalid",
    0x91: "packet identifier in use",
    0x95: "packet too large",
    0x97: "quota exceeded",
    0x99: "payload format invalid",
}


def failure(where: str, error: Exception) -> str:
    """Return why no connection to ``where`` was established."""
    match error:
        case socket.gaierror():
            why = f"the host name does not resolve ({error.strerror})"
        case ssl.SSLCertVerificationError():
            why = f"the broker's certificate is not trusted ({error.verify_message})"
        case ssl.SSLError():
            why = f"TLS failed ({error.reason or error}); does the broker use TLS on this port?"
        case ConnectionRefusedError():
            why = "connection refused; no broker listens there"
        case TimeoutError():
            why = "no answer"
        case ConnectionError():
            why = "the connection was closed at once; use TLS at both ends or at neither"
        case UnicodeError():
            why = "invalid host name"
        case _:
            why = getattr(error, "strerror", None) or str(error)
    return f"{where}: {why}"


def refused(where: str, code: int, text: str, client_id: str, username: str | None) -> str:
    """Return the meaning of a broker's reason code for a connection."""
    if code in (_BAD_CREDENTIALS, _NOT_AUTHORISED):
        who = f"user name {username!r}" if username is not None else "a client without user name"
        return f"{where}: the broker refuses the credentials of {who} ({text})"
    if code == TAKEN_OVER:
        return f"{where}: another client connected with client id {client_id!r}"
    return f"{where}: the broker refuses the connection of {client_id!r} ({text})"


def message_refused(where: str, client_id: str, topic: str, code: int) -> Alarm:
    """Return the alarm that the broker refuses messages, by the reason code of a PUBACK."""
    why = _REFUSALS.get(code, f"reason code {code:#04x}")
    return Alarm(
        event="message_refused",
        text=f"{where}: {client_id!r} may not publish on {topic}: the broker refuses it ({why})",
        detail={"topic": topic, "broker": where, "code": f"{code:#04x}"},
    )


def message_too_large(where: str, topic: str, size: int, limit: int) -> Alarm:
    """Return the alarm that a message of ``size`` bytes was skipped unread."""
    return Alarm(
        event="message_too_large",
        text=f"{where}: a message of {size} bytes on {topic} is over the limit of {limit}: not read",
        detail={"topic": topic, "broker": where, "bytes": str(size)},
    )


def taken_over(where: str, client_id: str, address: str, other: str) -> str:
    """Return that a foreign client uses a client id; ``other`` is empty if it is unknown."""
    who = f"another client ({other})" if other else "another client"
    from_ = f" at {address}" if address else ""
    return (
        f"{where}: {who} connected with client id {client_id!r} and took the session over from "
        f"this controller{from_}; continuing under a private id"
    )


def superseded(where: str, client_id: str, ours: str, other: str) -> str:
    """Return that two processes run as one controller, and that this one ends."""
    return (
        f"{where}: another process ({other}) runs as {client_id!r}, and was started later than "
        f"{ours}; stop one of the two"
    )
