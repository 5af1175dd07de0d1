"""The envelope and the payload of every kind of message; ``schemas/`` has their contracts.

``model.topics.CLASSES`` maps classes of topics to kinds, with their delivery.

Messages and devices are numerous and never part of a reference cycle, hence ``gc=False``.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from pdsno_cli.model.details import DeviceDetail
from pdsno_cli.model.devices import Device, ProbeResult
from pdsno_cli.model.history import DeviceChange
from pdsno_cli.model.numbers import Count, Ordinal, Seconds

SCHEMA_VERSION = "1.0"
BROADCAST = "broadcast"
OPERATOR = "operator"  # the sender of commands from the command line


class DiscoveryReport(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One cycle of a local controller: its probes, and the changes since the previous cycle.

    ``outcome`` is ``failed`` if every probe failed: such a cycle changes nothing.
    ``active`` is the number of devices that are present now. A
    ``snapshot`` lists every present device (the known ones under ``updated``), so a receiver
    drops all others: the first report of a new store is one. With ``more``, the cycle continues in
    the next report, since it was too large for one. ``silent`` are the present devices that did not
    answer in this cycle, None if unknown: the cycle failed, or too many were silent. ``details``
    are the pieces of those details that changed, or that were asked for; ``changes`` say what
    changed of known devices, for their history.
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
    details: tuple[DeviceDetail, ...] = ()
    changes: tuple[DeviceChange, ...] = ()

    @property
    def replaces(self) -> bool:
        """Whether a receiver drops the devices that it does not list.

        A snapshot of no device from a cycle that failed does not: its sender, whose store is new,
        knows nothing so far.
        """
        return self.snapshot and (self.outcome != "failed" or self.active > 0)


class PolicyDocument(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """Settings of the controllers in a scope; a missing key is inherited from the wider scope.

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
    """An occurrence: ``event`` is its name, ``subject`` the controller or device concerned."""

    event: str
    severity: Literal["info", "warning", "error"]
    subject: str
    region: str | None = None
    detail: dict[str, str | int | float | list[str]] = {}


class Status(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Birth, heartbeat or death of a controller (after Sparkplug B).

    ``connection`` counts the connections of this epoch, from 1: a death counts only when its
    epoch and connection are those of the latest birth. ``heartbeat`` is the seconds between
    beats; three missed ones are a death. ``reason`` is that of a death: ``will`` or ``stop``.
    ``holder`` names the process for people: its host, process id and topology.
    """

    state: Literal["birth", "heartbeat", "death"]
    role: Literal["global", "regional", "local"]
    region: str | None
    connection: Count
    heartbeat: Seconds
    reason: Literal["will", "stop"] | None = None
    holder: str = ""


class LocalCycle(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The last committed cycle of one local controller in its region.

    ``seen_at`` (RFC 3339) is the start of the last cycle with known answers: those of all its
    present devices but ``silent``.
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
    """The changes in a region since its last summary, and the cycles that they cover.

    A ``snapshot`` lists every present device of the region, so a receiver drops the others, except
    those of the ``unknown`` local controllers, which have not reported to a new store so far. Of the
    ``whole`` local controllers, every present device is listed, in a snapshot or not.
    With ``more``, the summary continues in the next one.
    """

    region: str
    snapshot: bool
    locals: tuple[LocalCycle, ...]
    new: tuple[RegionDevice, ...]
    updated: tuple[RegionDevice, ...]
    inactive: tuple[RegionLoss, ...]
    active: Count
    more: bool = False
    whole: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


class Ack(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Acknowledges the messages of a stream up to this number: they are committed."""

    stream: str
    epoch: Ordinal
    seq: Count


# Commands between controllers that repair a stream.
DELIVERY_ORDERS = ("resend", "base", "renumber")


class Command(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """A command to one controller; its members depend on ``order``.

    ``resend`` asks the sender of ``stream`` for all messages after epoch and seq (0 and 0: from the
    start). ``base`` answers that the sender no longer has messages up to epoch and seq: the receiver
    continues after them, and a snapshot follows if the stream has one. ``renumber`` asks the sender
    for an epoch beyond that one (0 and 0: any): its epoch is outdated, or ahead of the clock.
    ``discover`` asks a local controller for a cycle now, whose report answers it; ``describe`` for the
    whole details of ``devices``, by id, in a report that changes nothing else. ``policy`` gives
    the publisher of a scope the ``policy`` to publish, under a version that the publisher chooses;
    ``policy_reset`` makes it publish the policy of its topology file. ``replay`` and ``discard``
    make a receiver apply, or drop, ``entry`` of its quarantine.
    """

    order: Literal[
        "resend", "base", "renumber", "discover", "describe", "policy", "policy_reset", "replay",
        "discard",
    ]  # fmt: skip
    stream: str = ""
    epoch: Count = 0
    seq: Count = 0
    policy: PolicyDocument | None = None
    entry: Count = 0
    devices: tuple[str, ...] = ()

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
    """A verified message; the same on every transport.

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
