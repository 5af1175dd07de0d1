"""Opens traps of SNMPv3 (RFC 3412) whose user is known; digests and ciphers are pysnmp's.

The sender of a trap is its authoritative engine (RFC 3414), so its keys are made with the engine id
that it names. Its clock is not known, and a trap that is repeated counts again: it is a hint alone.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from pdsno_cli.discovery.snmp.ber import Value, read_items
from pdsno_cli.model.usm import AUTH, PRIVACY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pdsno_cli.spec.topology import Credential

_INTEGER, _OCTETS, _SEQUENCE = 0x02, 0x04, 0x30
_USM = 3  # the security model
_AUTH_FLAG, _PRIVACY_FLAG = 1, 2  # of msgFlags
_ENGINE_BYTES = range(5, 33)  # of an SnmpEngineID (RFC 3411)


class _Security(NamedTuple):
    """What the User-based Security Model says of a message."""

    engine: bytes
    boots: int
    time: int
    user: bytes
    digest: bytes
    salt: bytes


def open_trap(data: bytes, users: Mapping[bytes, Credential]) -> Value | None:
    """Return the PDU of a message, as ``read_items`` gives it.

    None for anything else than a message of one of ``users``, by name, with the security that is
    declared for it, and for one that does not pass. The passwords of ``users`` are resolved.
    """
    message = read_items(data)
    parts = read_items(message[0].octets) if message and message[0].tag == _SEQUENCE else []
    if len(parts) < 4 or [part.tag for part in parts[1:3]] != [_SEQUENCE, _OCTETS]:
        return None
    header, security = read_items(parts[1].octets), _security(parts[2].octets)
    if len(header) < 4 or header[3].number != _USM or len(header[2].octets) != 1:
        return None
    user = users.get(security.user) if security is not None else None
    if user is None or security is None:
        return None
    flags = header[2].octets[0]
    declared = _AUTH_FLAG * (user.auth is not None) | _PRIVACY_FLAG * (user.privacy is not None)
    if flags & (_AUTH_FLAG | _PRIVACY_FLAG) != declared:
        return None
    if user.auth is not None and not _authentic(user, security, data):
        return None
    scope: Value | None = parts[3]
    if user.privacy is not None:
        scope = _decrypted(user, security, parts[3])
    items = read_items(scope.octets) if scope is not None and scope.tag == _SEQUENCE else []
    return items[2] if len(items) > 2 else None


def _security(octets: bytes) -> _Security | None:
    outer = read_items(octets)
    items = read_items(outer[0].octets) if outer and outer[0].tag == _SEQUENCE else []
    if [item.tag for item in items[:6]] != [_OCTETS, _INTEGER, _INTEGER, *[_OCTETS] * 3]:
        return None
    engine, boots, time, user, digest, salt = items[:6]
    if len(engine.octets) not in _ENGINE_BYTES:
        return None
    return _Security(
        engine.octets, boots.number or 0, time.number or 0, user.octets, digest.octets, salt.octets
    )


def _authentic(user: Credential, security: _Security, data: bytes) -> bool:
    from pyasn1.type.univ import OctetString  # type: ignore[import-untyped]

    service = _service(_auth_of(user))
    if len(security.digest) != service.digest_length:
        return False
    key = service.localize_key(_hashed(user), OctetString(security.engine))
    try:
        service.authenticate_incoming_message(key, OctetString(security.digest), data)
    except Exception:  # noqa: BLE001 - pysnmp raises several kinds for a wrong digest
        return False
    return True


def _decrypted(user: Credential, security: _Security, scope: Value) -> Value | None:
    from pyasn1.type.univ import OctetString

    assert user.privacy is not None  # the caller has looked
    if scope.tag != _OCTETS:
        return None
    service = _service(PRIVACY[user.privacy.protocol])
    key = service.localize_key(
        _identifier(_auth_of(user)), _hashed(user, privacy=True), OctetString(security.engine)
    )
    parameters = (security.boots, security.time, OctetString(security.salt))
    try:
        plain = service.decrypt_data(OctetString(key), parameters, OctetString(scope.octets))
    except Exception:  # noqa: BLE001 - the ciphers raise several kinds for odd lengths
        return None
    items = read_items(bytes(plain))
    return items[0] if items else None


def _auth_of(user: Credential) -> str:
    assert user.auth is not None  # privacy needs it, RFC 3411 section 3.4.3
    return AUTH[user.auth.protocol]


@lru_cache(maxsize=64)
def _hashed(user: Credential, *, privacy: bool = False) -> Any:
    """Return the key of a password (RFC 3414 appendix A.2), which takes a megabyte of hashing."""
    key = user.privacy if privacy else user.auth
    assert key is not None  # the caller has looked
    return _service(_auth_of(user)).hash_passphrase(key.password.encode())


def _identifier(name: str) -> Any:
    from pysnmp.entity import config  # type: ignore[import-untyped]

    return getattr(config, name)


@lru_cache(maxsize=16)
def _service(name: str) -> Any:
    """Return pysnmp's digest or cipher."""
    from pysnmp.entity import config

    return {**config.AUTH_SERVICES, **config.PRIV_SERVICES}[_identifier(name)]
