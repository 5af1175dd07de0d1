"""A health probe of any MQTT broker: is it reachable, is it MQTT, does it accept the client."""

from __future__ import annotations

import os
import socket
import ssl
from typing import Literal

from pdsno_cli.broker import packets
from pdsno_cli.model.addresses import Address
from pdsno_cli.model.errors import BrokerError, UnreachableError

_ENOUGH = 16  # bytes of an answer that contain a CONNACK's reason code


def probe(
    host: str,
    port: int,
    *,
    protocol: Literal["3.1.1", "5"] = "3.1.1",
    username: str | None = None,
    password: str | None = None,
    tls: ssl.SSLContext | None = None,
    client_id: str | None = None,
    timeout: float = 5.0,
    farewell: bytes = packets.DISCONNECT,
) -> None:
    """Connect and disconnect; BrokerError, one sentence, if that fails.

    It is an UnreachableError without an answer. ``timeout`` is in seconds, for the connection and
    for the answer. ``farewell`` is sent last; without one the connection is just closed.
    """
    request = packets.connect(
        protocol=protocol,
        client_id=client_id or _client_id(),
        username=username,
        password=password,
        keepalive=10,
    )
    answer = _ask(Address(host, port), request, tls, timeout, farewell=farewell)
    _require_accepted(answer, Address(host, port), protocol, username, tls)


def probe_embedded(
    host: str, port: int, protocol: Literal["3.1.1", "5"], *, timeout: float = 5.0
) -> None:
    """Probe the embedded broker; raises as ``probe`` does.

    Without DISCONNECT: rumqttd removes such a client twice, the second time by a number that the
    next client may have been given by then. That one is disconnected, and if it comes again under
    the same id, the broker's listener panics and refuses everybody from then on.
    """
    probe(host, port, protocol=protocol, timeout=timeout, farewell=b"")


def leave_will(
    host: str,
    port: int,
    *,
    topic: str,
    protocol: Literal["3.1.1", "5"] = "3.1.1",
    username: str | None = None,
    password: str | None = None,
    tls: ssl.SSLContext | None = None,
    timeout: float = 5.0,
) -> None:
    """Connect with a will on ``topic``, and end without DISCONNECT; raises as ``probe`` does."""
    request = packets.connect(
        protocol=protocol,
        client_id=_client_id(),
        username=username,
        password=password,
        keepalive=10,
        will=topic,
    )
    answer = _ask(Address(host, port), request, tls, timeout, farewell=b"")
    _require_accepted(answer, Address(host, port), protocol, username, tls)


def _client_id() -> str:
    return f"pdsno-probe-{os.urandom(4).hex()}"


def _require_accepted(
    answer: bytes, address: Address, protocol: str, username: str | None, tls: ssl.SSLContext | None
) -> None:
    """Raise BrokerError unless the answer to a CONNECT accepts it."""
    where = f"broker {address}"
    connack = packets.connack(answer)
    if connack is None:
        raise BrokerError(f"{where}: {_no_connack(answer, protocol, tls)}")
    if connack.accepted:
        return
    if connack.bad_credentials:
        who = "a client without user name" if username is None else f"user name {username!r}"
        raise BrokerError(f"{where}: the broker refuses the credentials of {who}")
    if connack.bad_version:
        raise BrokerError(f"{where}: the broker does not support MQTT {protocol}")
    raise BrokerError(
        f"{where}: the broker refuses the connection (reason code {connack.code:#04x})"
    )


def _ask(
    address: Address,
    request: bytes,
    tls: ssl.SSLContext | None,
    timeout: float,
    *,
    farewell: bytes,
) -> bytes:
    """Return the first bytes of the answer to a CONNECT packet, empty without an answer.

    ``farewell`` is sent before the connection ends; raises as ``probe`` does.
    """
    try:
        with socket.create_connection(address, timeout) as plain:
            if tls is None:
                return _exchange(plain, request, farewell)
            with tls.wrap_socket(plain, server_hostname=address.host) as secured:
                return _exchange(secured, request, farewell)
    except (OSError, UnicodeError) as exc:  # UnicodeError: an invalid host name
        lost = isinstance(exc, OSError) and not isinstance(exc, ssl.SSLError)
        kind = UnreachableError if lost else BrokerError
        raise kind(f"broker {address}: {_why(exc)}") from exc


def _exchange(sock: socket.socket, request: bytes, farewell: bytes) -> bytes:
    sock.sendall(request)
    answer = b""
    try:
        while packets.connack(answer) is None and len(answer) < _ENOUGH:
            data = sock.recv(_ENOUGH)
            if not data:
                return answer
            answer += data
        if farewell:
            sock.sendall(farewell)
    except ConnectionError:
        pass  # the bytes received so far suffice
    return answer


def _no_connack(answer: bytes, protocol: str, tls: ssl.SSLContext | None) -> str:
    if answer:
        return f"the service on this port is not an MQTT broker: it answers {answer[:8]!r}"
    hint = "" if tls is not None else ", or does it expect TLS"
    return f"closes the connection without an answer; is it an MQTT {protocol} broker{hint}?"


def _why(error: OSError | UnicodeError) -> str:
    match error:
        case socket.gaierror():
            return f"the host name does not resolve ({error.strerror})"
        case ssl.SSLCertVerificationError():
            return f"the broker's certificate is not trusted ({error.verify_message})"
        case ssl.SSLError():
            return f"TLS failed ({error.reason or error}); does the broker use TLS on this port?"
        case ConnectionRefusedError():
            return "connection refused; no broker listens there"
        case ConnectionError():
            return "the connection was closed at once; use TLS at both ends or at neither"
        case TimeoutError():
            return "no answer; is it reachable, and an MQTT broker?"
        case UnicodeError():
            return "invalid host name"
        case _:
            return f"unreachable ({error.strerror or error})"
