"""Notices from a running controller to its supervisor; the control plane does not need them."""

from __future__ import annotations

from typing import Literal

import msgspec

from pdsno_cli.model.devices import ProbeResult
from pdsno_cli.model.roles import Role

State = Literal["starting", "connecting", "ready", "disconnected", "stopped", "failed"]


class StateNotice(msgspec.Struct, frozen=True, kw_only=True, tag="state"):
    """A controller changed state; ``detail`` is one sentence why, where useful."""

    controller_id: str
    state: State
    epoch: int = 0
    transport: str | None = None
    detail: str | None = None


class CycleNotice(msgspec.Struct, frozen=True, kw_only=True, tag="cycle"):
    """A local controller ended a discovery cycle and published its report.

    Of the ``active`` devices, ``snmp`` answer SNMP.
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

    @property
    def text(self) -> str:
        """The cycle on one line."""
        answers = ", ".join(
            f"{probe.protocol} {probe.answers}/{probe.targets}"
            for probe in self.probes
            if probe.error is None
        )
        return (
            f"cycle {self.cycle} {self.outcome} in {self.seconds:.1f} s ({answers or 'no probe'}): "
            f"{self.active} devices, {self.new} new, {self.updated} updated, "
            f"{self.inactive} inactive"
        )


class WaitingNotice(msgspec.Struct, frozen=True, kw_only=True, tag="waiting"):
    """The number of a controller's unacknowledged messages."""

    controller_id: str
    messages: int


class QuarantineNotice(msgspec.Struct, frozen=True, kw_only=True, tag="quarantine"):
    """The number of messages in a controller's quarantine."""

    controller_id: str
    messages: int


class CarriedNotice(msgspec.Struct, frozen=True, kw_only=True, tag="carried"):
    """The number of messages that each transport accepted from a controller since its start."""

    controller_id: str
    counts: dict[str, int]


class TransportState(msgspec.Struct, frozen=True, kw_only=True):
    """One transport of a controller: up, or why not and when the next try is.

    ``since`` and ``next_try`` are Unix seconds; ``next_try`` is None if none is planned.
    """

    up: bool
    since: float
    reason: str | None = None
    next_try: float | None = None


class TransportsNotice(msgspec.Struct, frozen=True, kw_only=True, tag="transports"):
    """The states of a controller's transports, best first; those not in use are left out."""

    controller_id: str
    transports: dict[str, TransportState]


class StalledNotice(msgspec.Struct, frozen=True, kw_only=True, tag="stalled"):
    """A controller is connected, and ``stream`` makes no progress.

    ``since`` is the Unix time at which the oldest unacknowledged message was stored. Both are None
    once a message is acknowledged again.
    """

    controller_id: str
    stream: str | None
    since: float | None


class PeerNotice(msgspec.Struct, frozen=True, kw_only=True, tag="peer"):
    """A controller received a peer's status, or misses it; ``reason`` is the evidence.

    The reason is ``forgotten`` for an undeclared peer that has left. ``epoch`` is that of the status:
    this notice may arrive before those of the peer's own new process.
    """

    controller_id: str
    peer: str
    alive: bool
    role: Role
    region: str | None
    epoch: int
    reason: str | None = None


class CommitNotice(msgspec.Struct, frozen=True, kw_only=True, tag="commit"):
    """A parent committed reports: per local controller, its last cycle (epoch, cycle) so far.

    ``reports`` and ``duplicates`` count since the parent started; ``active`` is the number of
    devices that are present now.
    """

    controller_id: str
    cycles: dict[str, tuple[int, int]]
    reports: int
    duplicates: int
    active: int


class RefusalNotice(msgspec.Struct, frozen=True, kw_only=True, tag="refusal"):
    """A controller refused a message; ``counts`` are the refusals so far, by reason."""

    controller_id: str
    counts: dict[str, int]


class ReconfiguredNotice(msgspec.Struct, frozen=True, kw_only=True, tag="reconfigured"):
    """A controller goes by the topology of the order with this number."""

    controller_id: str
    number: int


class WarningNotice(msgspec.Struct, frozen=True, kw_only=True, tag="warning"):
    """A message for the operator."""

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
    | ReconfiguredNotice
    | WarningNotice
)
