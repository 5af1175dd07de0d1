"""A topology as it is applied: absolute paths, secrets as digests, and the hashes of both.

A file is resolved where the command runs, with its environment. What travels to a running topology is
the built ``Topology`` and the variables that its secrets refer to, never the file's name alone: the
supervisor's own environment may be older::

    sent = encode(normal(topology)), variables(topology, os.environ)
    found = resolve_secrets(decode(sent[0]), salt, {**os.environ, **sent[1]})
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec

from pdsno_cli.model.errors import OperationError
from pdsno_cli.model.roles import Role
from pdsno_cli.model.topics import CLASSES
from pdsno_cli.spec import secrets
from pdsno_cli.spec.credentials import snmp_secrets, with_secrets
from pdsno_cli.spec.interpolate import references
from pdsno_cli.spec.load import STDIN
from pdsno_cli.spec.topology import Discovery, Topology

MISSING = "missing"  # in place of the digest of a secret that cannot be read
_DIGITS = 12  # of a digest that people see

Environment = Mapping[str, str | None]  # None: the variable is not set


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """A topology and the digest of each of its secrets, by the text that the file has for it."""

    topology: Topology
    digests: Mapping[str, str]
    unreadable: Mapping[str, str] = field(default_factory=dict)  # why, by the same text

    def digest(self, text: str | None) -> str | None:
        """Return the digest of a secret; None for none."""
        return None if text is None else self.digests[text]


def normal(topology: Topology) -> Topology:
    """Return the same topology as every file that means it has it.

    Paths hold in every working directory; rules and fallbacks that are the defaults are no difference,
    nor is what a controller that discovers nothing inherits for discovery.
    """
    tls = topology.broker.tls
    if tls is not None:
        names = {name: getattr(tls, name) for name in ("ca", "cert", "key")}
        paths = {name: _absolute(text) for name, text in names.items() if text}
        tls = replace(tls, **paths)
    lab = topology.lab
    if lab is not None and lab.recordings is not None:
        lab = replace(lab, recordings=_absolute(lab.recordings))
    return replace(
        topology,
        lab=lab,
        path=topology.path if topology.path == STDIN else _absolute(topology.path),
        topics=replace(
            topology.topics, rules={name: topology.topics.rule(name) for name in CLASSES}
        ),
        class_fallbacks={
            name: chain
            for name, chain in topology.class_fallbacks.items()
            if chain != topology.fallbacks
        },
        controllers={
            name: spec if spec.role is Role.LOCAL else replace(spec, discovery=Discovery())
            for name, spec in topology.controllers.items()
        },
        broker=replace(topology.broker, tls=tls),
    )


def encode(topology: Topology) -> bytes:
    """Return a topology as one line of JSON."""
    return msgspec.json.encode(topology)


def decode(data: bytes) -> Topology:
    """Return the topology of ``encode``; OperationError for that of another version of pdsno."""
    try:
        return msgspec.json.decode(data, type=Topology)
    except (msgspec.DecodeError, msgspec.ValidationError) as exc:
        raise OperationError(
            f"the topology was sent by another version of pdsno: {exc}; end it with pdsno down first"
        ) from exc


def secret_texts(topology: Topology) -> Iterator[tuple[str, bool]]:
    """Yield each text that refers to a secret, and whether it is a URL."""
    broker = topology.broker
    for text in (topology.signing_key, broker.username, broker.password):
        if text is not None:
            yield text, False
    for controller in topology.controllers.values():
        if controller.nib is not None:
            yield controller.nib, True
        for text in snmp_secrets(controller.discovery.snmp):
            yield text, False


def variables(topology: Topology, environment: Mapping[str, str]) -> dict[str, str | None]:
    """Return the variables that the secrets of a topology refer to, None for those not set."""
    texts = {text for text, _ in secret_texts(topology)}
    return {name: environment.get(name) for text in texts for name in references(text)}


def resolve_secrets(
    topology: Topology, salt: bytes, environment: Mapping[str, str] | None = None
) -> Resolved:
    """Return a topology with the digests of its secrets, read in ``environment``.

    Without ``salt`` the digest of a short secret could be guessed.
    """
    digests: dict[str, str] = {}
    unreadable: dict[str, str] = {}
    for text, _ in dict.fromkeys(secret_texts(topology)):
        try:
            value = secrets.resolve(text, base=topology.folder, environment=environment)
        except OperationError as exc:
            digests[text], unreadable[text] = MISSING, str(exc)
        else:
            digests[text] = hmac.digest(salt, value.encode(errors="replace"), "sha256").hex()
    return Resolved(topology=topology, digests=digests, unreadable=unreadable)


def require_secrets(resolved: Resolved, *, before: Resolved) -> None:
    """Raise OperationError for a secret that cannot be read, unless it could not be ``before``."""
    for text, reason in resolved.unreadable.items():
        if text not in before.unreadable:
            raise OperationError(reason)


def plane_hash(resolved: Resolved) -> str:
    """Return the hash of all that a topology declares; where its file is does not count."""
    topology = resolved.topology
    broker = topology.broker
    plain = replace(
        topology,
        path="",
        signing_key=resolved.digest(topology.signing_key),
        broker=replace(
            broker,
            username=resolved.digest(broker.username),
            password=resolved.digest(broker.password),
        ),
        controllers={},
    )
    return _hash((plain, controller_hashes(resolved)))


def controller_hashes(resolved: Resolved) -> dict[str, str]:
    """Return the hash of each controller, by id."""
    return {name: controller_hash(resolved, name) for name in resolved.topology.controllers}


def controller_hash(resolved: Resolved, controller_id: str) -> str:
    """Return the hash of what a topology declares for one controller, whatever its key is."""
    spec = resolved.topology.controllers[controller_id]
    snmp = with_secrets(spec.discovery.snmp, resolved.digests.__getitem__)
    return _hash(
        replace(
            spec,
            key="",
            nib=resolved.digest(spec.nib),
            discovery=replace(spec.discovery, snmp=snmp),
        )
    )


def shown_digest(digest: str) -> str:
    """Return a digest as people see it."""
    return digest if digest == MISSING else f"sha256:{digest[:_DIGITS]}"


def _absolute(text: str) -> str:
    """Return an absolute path, without ``..`` unless that leads elsewhere, past a symbolic link."""
    path = Path(text).absolute()
    plain = Path(os.path.normpath(path))
    with suppress(OSError):
        if path.samefile(plain):
            return str(plain)
    return str(path)


def _hash(value: object) -> str:
    return hashlib.sha256(msgspec.json.encode(value, order="sorted")).hexdigest()
