"""The one envelope and the payload of every kind of message; ``schemas/`` holds their contracts.

``model.topics.CLASSES`` says which class of topic carries which, and how it is delivered.

Messages and devices come in numbers and are never part of a cycle, so the garbage collector ignores
them (``gc=False``).
"""

from __future__ import annotations

from typing import Literal

import msgspec

from pdsno_cli.model.devices import Device, ProbeResult
from pdsno_cli.model.numbers import Count, Ordinal, Seconds

SCHEMA_VERSION = "1.0"
BROADCAST = "broadcast"
OPERATOR = "operator"  # the sender of what a person orders from the command line


class DiscoveryReport(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A local controller's cycle: what it probed and what changed since the cycle before.

    ``outcome`` is ``failed`` when every probe failed: such a cycle changes nothing.
    ``active`` is the number of devices that the local controller now holds for present. A
    ``snapshot`` lists every present device (the known ones under ``updated``), so a receiver
    drops what it does not list: the first report in the life of a store is one. ``more`` says
    that the cycle goes on in the next report, because it was too large for one. ``silent`` are
    the present devices that did not answer in this cycle: all others were seen in it. It is None
    where that is not told, because the cycle failed or too many were silent.
    """

    region: str
    cycle: Count
    snapshot: bool
    outcome: Literal["complete", "partial", "failed"]
    started_at: str
    seconds: Seconds
    probes: tuple[ProbeResult, ...]
    new: tuple[Device, ...]
    updated: tuple[Device, ...]
    inactive: tuple[str, ...]
    active: Count
    more: bool = False
    silent: tuple[str, ...] | None = None


class PolicyDocument(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """What controllers of a scope do; a key left out is left to the next wider scope.

    ``scope`` is a region or ``global``; ``version`` only rises. ``scan_interval`` is in seconds.
    ``targets`` gives local controllers, by id, the addresses they discover.
    """

    scope: str
    version: Count
    scan_interval: Seconds | None = None
    protocols: tuple[str, ...] | None = None
    missed_cycles: Count | None = None
    targets: dict[str, tuple[str, ...]] | None = None


class Event(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Something that happened once: ``event`` names it, ``subject`` is whom it happened to."""

    event: str
    severity: Literal["info", "warning", "error"]
    subject: str
    region: str | None = None
    detail: dict[str, str | int | float | list[str]] = {}


class Status(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Birth, heartbeat or death of a controller (after Sparkplug B).

    ``connection`` counts the connections of this epoch, from 1: a death counts only when its
    epoch and connection are those of the latest birth. ``heartbeat`` is the seconds between
    beats; three missed ones are a death. ``reason`` says why a death: ``will`` or ``stop``.
    ``holder`` names the process, for people: its host, number and topology.
    """

    state: Literal["birth", "heartbeat", "death"]
    role: Literal["global", "regional", "local"]
    region: str | None
    connection: Count
    heartbeat: Seconds
    reason: Literal["will", "stop"] | None = None
    holder: str = ""


class LocalCycle(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How far the reports of one local controller are committed in its region.

    ``seen_at`` (RFC 3339) is when the last cycle began of which it is known who answered: all of
    its present devices but ``silent``.
    """

    local_id: str
    epoch: Ordinal
    cycle: Count
    active: Count
    seen_at: str | None = None
    silent: tuple[str, ...] = ()


class RegionDevice(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A device and the local controller that found it."""

    local_id: str
    device: Device


class RegionLoss(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A device that its local controller no longer finds."""

    local_id: str
    device_id: str


class Summary(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What changed in a region since its last summary, and which cycles that covers.

    A ``snapshot`` lists every present device of the region, so a receiver drops the others.
    ``more`` says that the summary goes on in the next one.
    """

    region: str
    snapshot: bool
    locals: tuple[LocalCycle, ...]
    new: tuple[RegionDevice, ...]
    updated: tuple[RegionDevice, ...]
    inactive: tuple[RegionLoss, ...]
    active: Count
    more: bool = False


class Ack(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """All that its recipient sent on a stream, up to this number, is committed."""

    stream: str
    epoch: Ordinal
    seq: Count


# What controllers ask of each other to repair a stream.
DELIVERY_ORDERS = ("resend", "base", "renumber")


class Command(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """What its recipient is to do; which members there are depends on ``order``.

    ``resend`` asks the sender of ``stream`` for all that follows epoch and seq (0 and 0: from the
    start). ``base`` answers that nothing up to epoch and seq is to be had any more: the receiver
    goes on from there, and a snapshot follows where the stream has any. ``renumber`` asks the sender
    for an epoch beyond that one (0 and 0: any): the one it sends is over, or ahead of the clock.
    ``discover`` asks a local
    controller for a cycle now, whose report answers it. ``policy`` gives the publisher of a scope
    the ``policy`` to publish, under a version of the publisher's; ``policy_reset`` has it publish
    the one that its topology file declares. ``replay`` and ``discard`` have
    a receiver apply, or drop, ``entry`` of its quarantine.
    """

    order: Literal[
        "resend", "base", "renumber", "discover", "policy", "policy_reset", "replay", "discard"
    ]
    stream: str = ""
    epoch: Count = 0
    seq: Count = 0
    policy: PolicyDocument | None = None
    entry: Count = 0

    def __post_init__(self) -> None:
        if self.order in DELIVERY_ORDERS and not self.stream:
            raise ValueError(f"an order to {self.order} names its stream")
        if self.order == "policy" and self.policy is None:
            raise ValueError("an order about policy holds it")


Payload = DiscoveryReport | PolicyDocument | Event | Status | Summary | Ack | Command


class Signature(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The signature block: algorithm, key id, nonce (hex) and the signature (hex)."""

    alg: str
    kid: str
    nonce: str
    sig: str


class Envelope(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What every message carries on every transport, verified.

    ``stream`` is the topic below the root; ``epoch`` rises at each start of the sender; ``seq``
    counts from 1 within sender, stream and epoch (0 is a will). ``timestamp`` is RFC 3339 UTC.
    The members are in the order of the wire form, where the signature block follows the payload.
    """

    message_id: str
    message_type: str
    schema_version: str
    sender_id: str
    recipient_id: str
    timestamp: str
    stream: str
    epoch: Ordinal
    seq: Count
    correlation_id: str | None = None
    payload: Payload
