"""What a changed field of a topology takes: nothing, a live change, a restart, or a replacement.

``EFFECTS`` has one entry for every field of every type in ``spec.topology``: a new field without one
fails a test. A field that holds another of these types, or a mapping of them, is ``INSIDE``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import IntEnum
from functools import partial
from typing import Any

from pdsno_cli.model.durations import format_duration
from pdsno_cli.model.topics import TopicMap, TopicRule
from pdsno_cli.spec.resolved import Resolved, shown_digest
from pdsno_cli.spec.topology import (
    Broker,
    Controller,
    Credential,
    Details,
    Discovery,
    Lab,
    OutboxLimits,
    Policy,
    Region,
    Snmp,
    SnmpKey,
    SweepTimeout,
    Tls,
    Topology,
    Traps,
)


class Effect(IntEnum):
    """What a change takes, the least first."""

    INSIDE = -2  # its own fields say so
    IGNORED = -1  # not a difference: where the file is, how its author wrote it
    RECORD = 0  # noted, and nothing more: it only matters to commands that read the file
    LIVE = 1  # the controllers concerned are reconfigured
    RESTART = 2  # the controllers concerned start again
    REPLACE = 3  # the whole plane starts again


EFFECTS: Mapping[type, Mapping[str, Effect]] = {
    Topology: {
        "path": Effect.IGNORED,
        "name": Effect.REPLACE,
        "description": Effect.RECORD,
        "broker": Effect.INSIDE,
        "topics": Effect.INSIDE,
        "fallbacks": Effect.RESTART,
        "outbox": Effect.INSIDE,
        "class_fallbacks": Effect.RESTART,
        "policy": Effect.INSIDE,
        "regions": Effect.INSIDE,
        "controllers": Effect.INSIDE,
        "lab": Effect.INSIDE,
        "signing_key": Effect.REPLACE,
    },
    Broker: {
        "embedded": Effect.REPLACE,
        "addresses": Effect.REPLACE,
        "port": Effect.REPLACE,
        "protocol": Effect.REPLACE,
        "keepalive": Effect.REPLACE,
        "username": Effect.REPLACE,
        "password": Effect.REPLACE,
        "tls": Effect.INSIDE,
        "max_payload": Effect.REPLACE,
        # What the broker is said to be like: lint and capacity read it, no controller does.
        "kind": Effect.RECORD,
        "queue": Effect.RECORD,
        "outage": Effect.RECORD,
        "client_id_limit": Effect.RECORD,
    },
    Tls: {"ca": Effect.REPLACE, "cert": Effect.REPLACE, "key": Effect.REPLACE},
    TopicMap: {"root": Effect.REPLACE, "rules": Effect.INSIDE},
    TopicRule: {"qos": Effect.LIVE, "retain": Effect.LIVE},
    OutboxLimits: {
        "messages": Effect.LIVE,
        "size": Effect.LIVE,
        "age": Effect.LIVE,
        "patience": Effect.LIVE,
    },
    Policy: {
        "scan_interval": Effect.LIVE,
        "protocols": Effect.LIVE,
        "missed_cycles": Effect.LIVE,
    },
    Region: {"name": Effect.IGNORED, "policy": Effect.INSIDE, "prefixes": Effect.RECORD},
    Controller: {
        "controller_id": Effect.IGNORED,  # another id is another controller
        "key": Effect.IGNORED,
        "role": Effect.REPLACE,
        "region": Effect.REPLACE,  # a move
        "heartbeat": Effect.LIVE,
        "discovery": Effect.INSIDE,
        "nib": Effect.RESTART,
        "address": Effect.RESTART,
    },
    Discovery: {
        "interval": Effect.LIVE,
        "protocols": Effect.LIVE,
        "missed_cycles": Effect.LIVE,
        "mass_loss": Effect.LIVE,
        "targets": Effect.LIVE,
        "rate": Effect.LIVE,
        "timeout": Effect.INSIDE,
        "exclude": Effect.LIVE,
        "blackout": Effect.LIVE,
        "snmp_to": Effect.LIVE,
        "snmp": Effect.INSIDE,
    },
    SweepTimeout: {"floor": Effect.LIVE, "ceiling": Effect.LIVE},
    Snmp: {
        "version": Effect.RESTART,
        "community": Effect.RESTART,
        "port": Effect.RESTART,
        "timeout": Effect.RESTART,
        "retries": Effect.RESTART,
        "details": Effect.INSIDE,
        "credentials": Effect.INSIDE,
        "traps": Effect.INSIDE,
    },
    Details: {
        "interval": Effect.RESTART,
        "interfaces": Effect.RESTART,
        "neighbours": Effect.RESTART,
        "forwarding": Effect.RESTART,
    },
    Credential: {
        "name": Effect.RESTART,
        "community": Effect.RESTART,
        "user": Effect.RESTART,
        "auth": Effect.INSIDE,
        "privacy": Effect.INSIDE,
    },
    Traps: {"port": Effect.RESTART},
    SnmpKey: {"protocol": Effect.RESTART, "password": Effect.RESTART},
    Lab: dict.fromkeys(("mode", "devices", "snmp", "icmp", "recordings", "ipv6"), Effect.LIVE),
}
_SECRETS = frozenset(
    {(Topology, "signing_key"), (Broker, "username"), (Broker, "password"), (Controller, "nib"),
     (Snmp, "community"), (Credential, "community"), (SnmpKey, "password")}
)  # fmt: skip
_DURATIONS = frozenset(
    {(Broker, "keepalive"), (Broker, "outage"), (OutboxLimits, "age"), (OutboxLimits, "patience"),
     (Policy, "scan_interval"), (Controller, "heartbeat"), (Discovery, "interval"),
     (Snmp, "timeout"), (Details, "interval"), (SweepTimeout, "floor"), (SweepTimeout, "ceiling")}
)  # fmt: skip
_NAMES = {(Broker, "addresses"): "hosts"}  # where the file's key is another

Leaf = tuple[str, Effect]  # what people read, and what a change of it takes


def leaves(value: Any, resolved: Resolved, prefix: str = "") -> dict[str, Leaf]:
    """Return the fields of a value of ``spec.topology`` by their paths, as in the file.

    A field that is None, or empty, has no leaf. Regions and controllers have none here.
    """
    found: dict[str, Leaf] = {}
    kind = type(value)
    for name, effect in EFFECTS[kind].items():
        inner = getattr(value, name)
        elsewhere = (kind is Topology and name in ("regions", "controllers")) or (
            kind is Snmp and name == "community" and value.credentials
        )
        if effect is Effect.IGNORED or elsewhere:
            continue
        path = f"{prefix}{_NAMES.get((kind, name), name)}"
        if kind is TopicMap and name == "rules":
            for item, rule in inner.items():
                found |= leaves(rule, resolved, f"{prefix}{item}.")
        elif kind is Topology and name == "class_fallbacks":
            for item, chain in inner.items():
                found[f"topics.{item}.fallbacks"] = (", ".join(chain), effect)
        elif effect is Effect.INSIDE:
            found |= _inside(inner, resolved, path)
        elif inner not in (None, ()):
            found[path] = (_formatter(kind, name, resolved)(inner), effect)
    return found


def _inside(value: Any, resolved: Resolved, path: str) -> dict[str, Leaf]:
    """Return the leaves of a value, of several by their number, of none without it."""
    if not isinstance(value, tuple):
        return {} if value is None else leaves(value, resolved, f"{path}.")
    found: dict[str, Leaf] = {}
    for number, item in enumerate(value, start=1):
        found |= leaves(item, resolved, f"{path}.{number}.")
    return found


def _formatter(kind: type, name: str, resolved: Resolved) -> Callable[[Any], str]:
    if (kind, name) in _SECRETS:
        return partial(_secret, resolved)
    return format_duration if (kind, name) in _DURATIONS else _text


def _secret(resolved: Resolved, text: str) -> str:
    return shown_digest(resolved.digests[text])


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if hasattr(value, "value"):  # a role
        return str(value.value)
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
