"""SNMPv3 of a lab's agent: messages (RFC 3412) and its user's security (RFC 3414).

The framing is ours; digests, keys and ciphers are pysnmp's, which is imported when a user is first asked for.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pdsno_cli.lab import ber
from pdsno_cli.lab.ber import Oid, Pdu
from pdsno_cli.lab.plan import LabUser
from pdsno_cli.model.usm import AUTH, PRIVACY

MAX_BYTES = 1200  # of all objects in an answer: security takes up to 200 more in a frame

_USM = 3  # SnmpSecurityModel
_AUTH, _PRIVACY, _REPORTABLE = 1, 2, 4  # bits of msgFlags
_MAX_SIZE = 65_507
_WINDOW = 150  # seconds, RFC 3414 section 2.2.3
_REPORT = 0xA8
_STATS: Oid = (1, 3, 6, 1, 6, 3, 15, 1, 1)
_LEVELS, _TIME, _USERS, _ENGINES, _DIGESTS, _DECRYPTION = 1, 2, 3, 4, 5, 6  # usmStats…
_FORMAT = bytes.fromhex("80001f8803")  # net-snmp's number; 3: a MAC follows (RFC 3411)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Message:
    """A message of SNMPv3, its security parameters read and its scope not."""

    number: int
    flags: int
    engine: bytes
    boots: int
    time: int
    user: bytes
    digest: bytes
    salt: bytes
    scope: bytes  # with its tag: a sequence, or an octet string where it is encrypted


class UserSecurity:
    """One engine with one user; ``respond`` answers a request with a response, or None."""

    def __init__(self, mac: bytes, user: LabUser, respond: Callable[[Pdu], bytes | None]) -> None:
        self._engine = _FORMAT + mac
        self._user = user
        self._respond = respond
        self._started = time.monotonic()
        self._level = _AUTH * bool(user.auth) | _PRIVACY * bool(user.privacy)
        self._counts: dict[int, int] = {}

    def answer(self, data: bytes) -> bytes | None:
        """Return the response to a message; ValueError for a malformed one."""
        message = _read(data)
        if message.engine != self._engine:
            return self._report(message, _ENGINES)
        if message.user != self._user.name.encode():
            return self._report(message, _USERS)
        if message.flags & (_AUTH | _PRIVACY) != self._level:
            return self._report(message, _LEVELS)
        if self._level & _AUTH and not self._authentic(message, data):
            return self._report(message, _DIGESTS)
        if self._level & _AUTH and (message.boots != 1 or abs(message.time - self._now) > _WINDOW):
            return self._report(message, _TIME, flags=_AUTH)
        scope = message.scope
        if self._level & _PRIVACY:
            opened = self._decrypted(message)
            if opened is None:
                return self._report(message, _DECRYPTION)
            scope = opened
        context, pdu = _read_scope(scope)
        answer = self._respond(pdu)
        if answer is None:
            return None
        return self._sealed(message, context + answer, flags=self._level)

    @property
    def _now(self) -> int:
        return int(time.monotonic() - self._started)

    def _report(self, message: _Message, reason: int, *, flags: int = 0) -> bytes | None:
        """Return a Report with the counter of a reason."""
        if not message.flags & _REPORTABLE:
            return None
        self._counts[reason] = count = self._counts.get(reason, 0) + 1
        binding = ber.object_id((*_STATS, reason, 0)) + ber.number(count, ber.COUNTER)
        report = ber.tlv(
            _REPORT,
            ber.number(0) * 3 + ber.tlv(ber.SEQUENCE, ber.tlv(ber.SEQUENCE, binding)),
        )
        context = ber.octets(self._engine) + ber.octets(b"")
        return self._sealed(message, context + report, flags=flags)

    def _sealed(self, message: _Message, scope: bytes, *, flags: int) -> bytes:
        """Return a message with a scope, encrypted and authenticated as the flags say."""
        content, salt = ber.tlv(ber.SEQUENCE, scope), b""
        if flags & _PRIVACY:
            service, key = _privacy(self._user, self._engine)
            encrypted, parameters = service.encrypt_data(key, (1, self._now, None), content)
            content, salt = ber.octets(bytes(encrypted)), bytes(parameters)
        service, key = _auth(self._user, self._engine) if flags & _AUTH else (None, None)
        security = ber.tlv(
            ber.SEQUENCE,
            ber.octets(self._engine)
            + ber.number(1)
            + ber.number(self._now)
            + ber.octets(message.user)
            + ber.octets(bytes(service.digest_length) if service is not None else b"")
            + ber.octets(salt),
        )
        head = ber.tlv(
            ber.SEQUENCE,
            ber.number(message.number)
            + ber.number(_MAX_SIZE)
            + ber.octets(bytes((flags,)))
            + ber.number(_USM),
        )
        whole = ber.tlv(ber.SEQUENCE, ber.number(3) + head + ber.octets(security) + content)
        if service is not None:
            whole = bytes(service.authenticate_outgoing_message(key, whole))
        return whole

    def _authentic(self, message: _Message, data: bytes) -> bool:
        from pyasn1.type.univ import OctetString  # type: ignore[import-untyped]  # ships no types

        service, key = _auth(self._user, self._engine)
        try:
            service.authenticate_incoming_message(key, OctetString(message.digest), data)
        except Exception:  # noqa: BLE001 - pysnmp raises several kinds for a wrong digest
            return False
        return True

    def _decrypted(self, message: _Message) -> bytes | None:
        from pyasn1.type.univ import OctetString

        service, key = _privacy(self._user, self._engine)
        tag, start, stop = ber.read(message.scope, 0, len(message.scope))
        if tag != ber.OCTETS:
            return None
        try:
            parameters = (message.boots, message.time, OctetString(message.salt))
            encrypted = OctetString(message.scope[start:stop])
            return bytes(service.decrypt_data(key, parameters, encrypted))
        except Exception:  # noqa: BLE001 - the ciphers raise several kinds for odd lengths
            return None


def _read(data: bytes) -> _Message:
    tag, start, stop = ber.read(data, 0, len(data))
    ber.require(tag == ber.SEQUENCE)
    _, at = ber.integer(data, start, stop)  # the version
    _, begin, end = ber.read(data, at, stop)
    number, at = ber.integer(data, begin, end)
    _, at = ber.integer(data, at, end)
    flags, at = ber.text(data, at, end)
    model, _ = ber.integer(data, at, end)
    ber.require(len(flags) == 1 and model == _USM)
    security, at = ber.text(data, end, stop)
    tag, begin, end = ber.read(security, 0, len(security))
    ber.require(tag == ber.SEQUENCE)
    engine, begin = ber.text(security, begin, end)
    boots, begin = ber.integer(security, begin, end)
    seconds, begin = ber.integer(security, begin, end)
    user, begin = ber.text(security, begin, end)
    digest, begin = ber.text(security, begin, end)
    salt, _ = ber.text(security, begin, end)
    return _Message(
        number=number, flags=flags[0], engine=engine, boots=boots, time=seconds, user=user,
        digest=digest, salt=salt, scope=data[at:stop],
    )  # fmt: skip


def _read_scope(scope: bytes) -> tuple[bytes, Pdu]:
    """Return context engine and name as they are encoded, and the request."""
    tag, start, stop = ber.read(scope, 0, len(scope))
    ber.require(tag == ber.SEQUENCE)
    _, at = ber.text(scope, start, stop)
    _, at = ber.text(scope, at, stop)
    return scope[start:at], ber.read_pdu(scope, at, stop)


def _auth(user: LabUser, engine: bytes) -> tuple[Any, Any]:
    assert user.auth is not None  # the level says so
    return _auth_key(*user.auth, engine)


def _privacy(user: LabUser, engine: bytes) -> tuple[Any, Any]:
    assert user.auth is not None  # privacy needs it, RFC 3411 section 3.4.3
    assert user.privacy is not None
    return _privacy_key(user.auth[0], *user.privacy, engine)


@lru_cache(maxsize=1024)
def _auth_key(protocol: str, password: str, engine: bytes) -> tuple[Any, Any]:
    from pyasn1.type.univ import OctetString

    service, _ = _service(protocol)
    return service, service.localize_key(_hashed(protocol, password), OctetString(engine))


@lru_cache(maxsize=1024)
def _privacy_key(auth: str, protocol: str, password: str, engine: bytes) -> tuple[Any, Any]:
    from pyasn1.type.univ import OctetString

    service, _ = _service(protocol)
    _, name = _service(auth)
    hashed = _hashed(auth, password)
    return service, OctetString(service.localize_key(name, hashed, OctetString(engine)))


@lru_cache(maxsize=64)
def _hashed(auth: str, password: str) -> Any:
    """Return the key of a password (RFC 3414 appendix A.2), which takes a megabyte of hashing."""
    service, _ = _service(auth)
    return service.hash_passphrase(password.encode())


@lru_cache(maxsize=16)
def _service(protocol: str) -> tuple[Any, Any]:
    from pysnmp.entity import config  # type: ignore[import-untyped]  # ships no types

    name = getattr(config, {**AUTH, **PRIVACY}[protocol])
    return {**config.AUTH_SERVICES, **config.PRIV_SERVICES}[name], name
