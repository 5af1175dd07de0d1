"""Summarises a message's payload in one line for people; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.model.durations import format_duration
from pdsno_cli.model.messages import (
    DELIVERY_ORDERS,
    Ack,
    Command,
    DiscoveryReport,
    Event,
    PolicyDocument,
    Status,
    Summary,
)

if TYPE_CHECKING:
    import msgspec


def describe(payload: msgspec.Struct) -> str:
    """Return a one-line summary of a payload; ``name=value`` pairs for a kind without its own."""
    match payload:
        case DiscoveryReport():
            return f"cycle {payload.cycle} {payload.outcome}: {_changes(payload)}"
        case Summary():
            return f"{payload.region}: {_changes(payload)}"
        case PolicyDocument():
            return _policy(payload)
        case Event():
            detail = " ".join(f"{key}={value}" for key, value in payload.detail.items())
            return f"{payload.event} {payload.subject} {detail}".rstrip()
        case Status():
            return f"{payload.state} {payload.reason or ''}".rstrip()
        case Ack():
            return f"{payload.stream} up to {payload.epoch}/{payload.seq}"
        case Command():
            return _command(payload)
    members = payload.__struct_fields__
    return " ".join(f"{name}={getattr(payload, name)}" for name in members)


def _changes(payload: DiscoveryReport | Summary) -> str:
    snapshot = ", snapshot" if payload.snapshot else ""
    more = ", more follows" if payload.more else ""
    return (
        f"{len(payload.new)} new, {len(payload.updated)} updated, {len(payload.inactive)} inactive, "
        f"{payload.active} devices{snapshot}{more}"
    )


def _policy(document: PolicyDocument) -> str:
    keys = []
    if document.scan_interval is not None:
        keys.append(f"every {format_duration(document.scan_interval)}")
    if document.protocols is not None:
        keys.append(",".join(document.protocols))
    if document.missed_cycles is not None:
        keys.append(f"missed {document.missed_cycles}")
    if document.targets is not None:
        keys.append(f"targets of {len(document.targets)}")
    return " ".join((document.scope, f"version {document.version}", *keys))


def _command(command: Command) -> str:
    if command.order in DELIVERY_ORDERS:
        return f"{command.order} {command.stream} after {command.epoch}/{command.seq}"
    about = "" if command.policy is None else f" {_policy(command.policy)}"
    return command.order + about
