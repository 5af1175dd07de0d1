"""Builds the frozen ``Topology`` from data that fits the schema: expands ranges, applies defaults."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pdsno_cli.model.addresses import Address, host_problem, parse_address
from pdsno_cli.model.durations import parse_duration
from pdsno_cli.model.roles import Role
from pdsno_cli.model.topics import CLASSES, DEFAULT_ROOT, TopicMap, TopicRule
from pdsno_cli.spec import codes, ranges
from pdsno_cli.spec.defaults import Inheritance
from pdsno_cli.spec.deprecated import rename
from pdsno_cli.spec.paths import resolve_path
from pdsno_cli.spec.prefix_split import SplitError, split_prefix
from pdsno_cli.spec.topology import (
    Broker,
    Controller,
    Lab,
    OutboxLimits,
    Policy,
    Region,
    Tls,
    Topology,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pdsno_cli.model.diagnostics import Diagnostic
    from pdsno_cli.spec.document import Document

_SPLIT_HINT = "for example: targets: {split: 10.20.0.0/16, into: 24}"
_ROLES = {role.value: role for role in Role}


def build(document: Document) -> tuple[Topology, list[Diagnostic]]:
    """Return the topology of a document whose data fits the schema, and findings on ranges."""
    rename(document)
    data = document.data
    diagnostics: list[Diagnostic] = list(_host(document))
    topology = Topology(
        path=document.path,
        name=data["name"],
        description=data.get("description", ""),
        broker=_broker(document, data.get("broker", {}), Path(document.path).parent),
        topics=_topics(data.get("topics", {})),
        **({"fallbacks": tuple(data["fallbacks"])} if "fallbacks" in data else {}),
        outbox=_outbox(data.get("outbox", {})),
        class_fallbacks={
            name: tuple(raw["fallbacks"])
            for name, raw in data.get("topics", {}).items()
            if name in CLASSES and "fallbacks" in raw
        },
        policy=policy(data.get("policy", {})),
        regions={name: _region(name, raw or {}) for name, raw in data.get("regions", {}).items()},
        controllers=_controllers(document, diagnostics),
        lab=_lab(data.get("lab"), Path(document.path).parent),
        signing_key=data.get("signing_key"),
    )
    return topology, diagnostics


def _region(name: str, raw: dict[str, Any]) -> Region:
    prefixes = raw.get("prefixes", ())
    return Region(
        name=name,
        policy=policy(raw.get("policy", {})),
        prefixes=(prefixes,) if isinstance(prefixes, str) else tuple(prefixes),
    )


def _outbox(raw: dict[str, Any]) -> OutboxLimits:
    known: dict[str, Any] = {key: raw[key] for key in ("messages", "size") if key in raw}
    if "age" in raw:
        known["age"] = parse_duration(raw["age"])
    if "patience" in raw:
        known["patience"] = parse_duration(raw["patience"])
    return OutboxLimits(**known)


def _broker(document: Document, raw: dict[str, Any], folder: Path) -> Broker:
    # An invalid or still unknown host is left out of the data, and is a host all the same.
    named = document.has(("broker", "host")) or document.has(("broker", "hosts"))
    embedded = raw.get("embedded", not named)
    tls = raw.get("tls")
    known: dict[str, Any] = {
        key: raw[key]
        for key in ("username", "password", "max_payload", "kind", "queue", "client_id_limit")
        if key in raw
    }
    if "protocol" in raw:
        known["protocol"] = str(raw["protocol"])
    if "keepalive" in raw:
        known["keepalive"] = parse_duration(raw["keepalive"])
    if "outage" in raw:
        known["outage"] = parse_duration(raw["outage"])
    if tls is not None:
        known["tls"] = Tls(
            **{
                key: str(resolve_path(tls[key], base=folder))
                for key in ("ca", "cert", "key")
                if key in tls
            }
        )
    if embedded:
        known["port"] = raw.get("port", 0)
    else:
        known["addresses"] = _addresses(raw, raw.get("port", 1883 if tls is None else 8883))
    return Broker(embedded=embedded, **known)


def _addresses(raw: dict[str, Any], port: int) -> tuple[Address, ...]:
    if "hosts" in raw:
        return tuple(parse_address(text, port) for text in raw["hosts"])
    if "host" not in raw or host_problem(raw["host"]) is not None:
        return ()
    return (Address(raw["host"].strip("[]"), port),)


def _host(document: Document) -> Iterator[Diagnostic]:
    """Yield a finding if the broker's host is more than a host."""
    host = document.data.get("broker", {}).get("host")
    found = None if host is None else host_problem(host)
    if found is not None:
        problem, meant = found
        hint = f"write {meant}" if meant else "for example: host: broker.example.net"
        message = f"broker.host cannot be {host[:60]!r}: {problem}"
        yield document.finding(codes.MALFORMED, message, ("broker", "host"), hint=hint)


def _topics(raw: dict[str, Any]) -> TopicMap:
    rules = {}
    for name, item in CLASSES.items():
        if name in raw:
            rules[name] = TopicRule(
                qos=raw[name].get("qos", item.default.qos),
                retain=raw[name].get("retain", item.default.retain),
            )
    return TopicMap(root=raw.get("root", DEFAULT_ROOT), rules=rules)


def policy(raw: dict[str, Any]) -> Policy:
    """Return the policy of a mapping that fits the schema."""
    interval, protocols = raw.get("scan_interval"), raw.get("protocols")
    return Policy(
        scan_interval=None if interval is None else parse_duration(interval),
        protocols=None if protocols is None else tuple(protocols),
        missed_cycles=raw.get("missed_cycles"),
    )


def _lab(raw: dict[str, Any] | None, folder: Path) -> Lab | None:
    if raw is None:
        return None
    recordings = raw.get("recordings")
    return Lab(
        mode=raw.get("mode", "loopback"),
        devices=raw["devices"],
        snmp=raw.get("snmp", 0),
        icmp=raw.get("icmp"),
        recordings=None if recordings is None else str(resolve_path(recordings, base=folder)),
        ipv6=raw.get("ipv6"),
    )


def _controllers(document: Document, diagnostics: list[Diagnostic]) -> dict[str, Controller]:
    """Return the controllers by id. Of two with the same id the first is kept; a rule reports it."""
    data = document.data
    inheritance = Inheritance(data.get("defaults", {}), data.get("regions", {}))
    controllers: dict[str, Controller] = {}
    for key, raw in data["controllers"].items():
        where = ("controllers", key)
        try:
            ids = ranges.expand(key)
        except ValueError as exc:
            text = ranges.meant(key)
            hint = (
                f"write {text}"
                if text
                else "for example: local_cntl_[1:20] or local_cntl_[001:200]"
            )
            diagnostics.append(
                document.finding(codes.KEY_RANGE, str(exc), where, key=True, hint=hint)
            )
            continue
        role, region = _ROLES[raw["role"]], raw.get("region")
        own = raw.get("discovery", {})
        heartbeat = inheritance.heartbeat(raw, role.value, region)
        nib = inheritance.nib(raw, role.value, region)
        settings = inheritance.discovery(own, role.value, region)
        targets = own.get("targets", ())
        prefixes: list[str] | None = None
        if isinstance(targets, dict):
            try:
                prefixes = split_prefix(targets["split"], targets["into"], len(ids))
            except SplitError as exc:
                at = (*where, "discovery", "targets", exc.key)
                hint = f"did you mean {exc.meant}?" if exc.meant else _SPLIT_HINT
                diagnostics.append(document.finding(codes.SPLIT, str(exc), at, hint=hint))
            targets = ()
        elif isinstance(targets, str):
            targets = (targets,)
        discovery = settings(tuple(targets))
        for number, controller_id in enumerate(ids):
            controllers.setdefault(
                controller_id,
                Controller(
                    controller_id=controller_id,
                    key=key,
                    role=role,
                    region=region,
                    heartbeat=heartbeat,
                    discovery=discovery if prefixes is None else settings((prefixes[number],)),
                    nib=nib,
                    address=raw.get("address"),
                ),
            )
    return controllers
