"""What a running controller tells whoever runs it: never needed by the control plane itself."""

from __future__ import annotations

from typing import Literal

import msgspec

from pdsno_cli.model.devices import ProbeResult
from pdsno_cli.model.roles import Role

State = Literal["starting", "connecting", "ready", "disconnected", "stopped", "failed"]


class StateNotice(msgspec.Struct, frozen=True, kw_only=True, tag="state"):
    """A controller changed state; ``detail`` says why in one sentence where that helps."""

    controller_id: str
    state: State
    epoch: int = 0
    transport: str | None = None
    detail: str | None = None


class CycleNotice(msgspec.Struct, frozen=True, kw_only=True, tag="cycle"):
    """A local controller ended a discovery cycle and published its report.

    Of the ``active`` devices, ``snmp`` speak SNMP.
    """

    controller_id: str
    cycle: int
    outcome: str
    seconds: float
    probes: tuple[ProbeResult, ...]
    new: int
    updated: int
    inactive: int
    active: int
    snmp: int = 0


class WaitingNotice(msgspec.Struct, frozen=True, kw_only=True, tag="waiting"):
    """How many messages of a controller wait for their acknowledgement."""

    controller_id: str
    messages: int


class QuarantineNotice(msgspec.Struct, frozen=True, kw_only=True, tag="quarantine"):
    """How many messages a controller holds in quarantine."""

    controller_id: str
    messages: int


class CarriedNotice(msgspec.Struct, frozen=True, kw_only=True, tag="carried"):
    """How many messages each transport took over from a controller since it started."""

    controller_id: str
    counts: dict[str, int]


class TransportState(msgspec.Struct, frozen=True, kw_only=True):
    """One transport of a controller: up, or why not and when it is tried again.

    ``since`` and ``next_try`` are Unix seconds; ``next_try`` is None where nothing is planned.
    """

    up: bool
    since: float
    reason: str | None = None
    next_try: float | None = None


class TransportsNotice(msgspec.Struct, frozen=True, kw_only=True, tag="transports"):
    """How the transports of a controller are, best first; those not in use are left out."""

    controller_id: str
    transports: dict[str, TransportState]


class StalledNotice(msgspec.Struct, frozen=True, kw_only=True, tag="stalled"):
    """Nothing carries what a controller sends: ``stream`` stands still though it is connected.

    ``since`` is the Unix time at which the oldest message that waits was kept. Both are None once
    something is acknowledged again.
    """

    controller_id: str
    stream: str | None
    since: float | None


class PeerNotice(msgspec.Struct, frozen=True, kw_only=True, tag="peer"):
    """A controller hears another one, or does not any more; ``reason`` says how it knows.

    It is ``forgotten`` of one that is not of the file and has left.
    """

    controller_id: str
    peer: str
    alive: bool
    role: Role
    region: str | None
    reason: str | None = None


class CommitNotice(msgspec.Struct, frozen=True, kw_only=True, tag="commit"):
    """A parent committed reports: per local controller, its last cycle (epoch, cycle) so far.

    ``reports`` and ``duplicates`` count since the parent started; ``active`` is the number of
    devices it now holds for present.
    """

    controller_id: str
    cycles: dict[str, tuple[int, int]]
    reports: int
    duplicates: int
    active: int


class RefusalNotice(msgspec.Struct, frozen=True, kw_only=True, tag="refusal"):
    """A controller refused a message: how many so far, by reason."""

    controller_id: str
    counts: dict[str, int]


class WarningNotice(msgspec.Struct, frozen=True, kw_only=True, tag="warning"):
    """Something that a person should read once."""

    controller_id: str
    text: str


Notice = (
    StateNotice
    | CycleNotice
    | CarriedNotice
    | TransportsNotice
    | StalledNotice
    | PeerNotice
    | CommitNotice
    | RefusalNotice
    | WaitingNotice
    | QuarantineNotice
    | WarningNotice
)
