"""The two MQTT packets that a health probe needs: CONNECT and CONNACK; pure."""

from __future__ import annotations

from dataclasses import dataclass

_CONNECT = 0x10
_CONNACK = 0x20
DISCONNECT = b"\xe0\x00"
_LEVELS = {"3.1.1": 4, "5": 5}
_WILL_AT_QOS_1 = 0x0C
_CLEAN, _HAS_PASSWORD, _HAS_USERNAME = 0x02, 0x40, 0x80

_BAD_CREDENTIALS = frozenset({4, 5, 0x86, 0x87, 0x8C})
_BAD_VERSION = frozenset({1, 0x84})


@dataclass(frozen=True, slots=True)
class Connack:
    """A broker's answer: code 0 accepts (MQTT 3.1.1 section 3.2.2.3, MQTT 5.0 section 3.2.2.2)."""

    code: int

    @property
    def accepted(self) -> bool:
        """True if the broker accepts the client."""
        return self.code == 0

    @property
    def bad_credentials(self) -> bool:
        """True if the broker refuses user name or password."""
        return self.code in _BAD_CREDENTIALS

    @property
    def bad_version(self) -> bool:
        """True if the broker does not support the version of the protocol."""
        return self.code in _BAD_VERSION


def connect(
    *,
    protocol: str,
    client_id: str,
    username: str | None,
    password: str | None,
    keepalive: int,
    will: str | None = None,
) -> bytes:
    """Return a CONNECT packet with a clean session (MQTT 5.0 section 3.1).

    ``will`` is the topic of a will at QoS 1, with the payload ``will``.
    """
    flags = _CLEAN
    payload = _text(client_id)
    if will is not None:
        flags |= _WILL_AT_QOS_1
        payload += (b"\0" if protocol == "5" else b"") + _text(will) + _text("will")
    if username is not None:
        flags |= _HAS_USERNAME
        payload += _text(username)
        if password is not None:
            flags |= _HAS_PASSWORD
            payload += _text(password)
    properties = b"\0" if protocol == "5" else b""
    level = _LEVELS[protocol]
    header = _text("MQTT") + bytes((level, flags)) + keepalive.to_bytes(2, "big") + properties
    body = header + payload
    return bytes((_CONNECT,)) + _length(len(body)) + body


def connack(data: bytes) -> Connack | None:
    """Return the CONNACK that ``data`` begins with, None for other data.

    Four bytes suffice: MQTT 5's properties follow the reason code and are ignored.
    """
    if len(data) < 4 or data[0] != _CONNACK:
        return None
    start = 1
    while data[start] & 0x80:  # the remaining length has another byte
        start += 1
        if start > 4 or start + 2 >= len(data):
            return None
    return Connack(data[start + 2])


def _text(value: str) -> bytes:
    data = value.encode()
    return len(data).to_bytes(2, "big") + data


def _length(number: int) -> bytes:
    """Return a remaining length (MQTT 5.0 section 2.1.4)."""
    out = bytearray()
    while True:
        number, low = divmod(number, 128)
        out.append(low | (0x80 if number else 0))
        if not number:
            return bytes(out)
