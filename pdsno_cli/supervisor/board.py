"""What the run looks like now: every notice folded into one row per controller.

The live table, the plain lines, ``pdsno status`` and the closing summary all read this.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pdsno_cli.model.notices import (
    CarriedNotice,
    CommitNotice,
    CycleNotice,
    Notice,
    QuarantineNotice,
    RefusalNotice,
    StateNotice,
    WaitingNotice,
    WarningNotice,
)
from pdsno_cli.model.roles import Role

if TYPE_CHECKING:
    from pdsno_cli.model.devices import ProbeResult
    from pdsno_cli.spec.topology import Topology


@dataclass(slots=True)
class Row:
    """One controller. Counts are of this run; ``committed`` is what its region has committed."""

    controller_id: str
    role: Role
    region: str | None
    state: str = "waiting"
    detail: str | None = None
    pid: int | None = None
    transport: str | None = None
    carried: dict[str, int] = field(default_factory=dict)
    epoch: int = 0
    restarts: int = 0
    cycles: int = 0
    last_cycle: int = 0
    outcome: str | None = None
    last_cycle_at: float | None = None  # monotonic seconds
    devices: int | None = None
    sent: int = 0
    committed: int | None = None
    committed_top: int = 0
    reports: int = 0
    waiting: int = 0
    quarantined: int = 0
    duplicates: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    new: int = 0
    seconds: float = 0.0
    probes: dict[str, ProbeResult] = field(default_factory=dict)
    epochs: set[int] = field(default_factory=set)


class Board:
    """The rows of one run, in the order of the hierarchy: global, regional, local."""

    def __init__(self, topology: Topology) -> None:
        order = list(Role)
        specs = sorted(topology.controllers.values(), key=lambda item: order.index(item.role))
        self.rows = {
            spec.controller_id: Row(spec.controller_id, spec.role, spec.region) for spec in specs
        }
        self.warnings: list[tuple[str, str]] = []
        self._top = {item.controller_id for item in topology.of_role(Role.GLOBAL)}

    @property
    def locals(self) -> list[Row]:
        """The rows of local controllers."""
        return [row for row in self.rows.values() if row.role is Role.LOCAL]

    def ready(self) -> bool:
        """Whether every controller is ready."""
        return all(row.state == "ready" for row in self.rows.values())

    def committed_everywhere(self, cycles: int) -> bool:
        """Whether so many cycles of every local controller are committed at the top."""
        return all(row.committed_top >= cycles for row in self.locals)

    def take(self, notice: Notice) -> None:
        """Fold in one notice."""
        row = self.rows[notice.controller_id]
        match notice:
            case StateNotice():
                self._state(row, notice)
            case CycleNotice():
                self._cycle(row, notice)
            case CommitNotice():
                self._commit(row, notice)
            case CarriedNotice():
                row.carried = notice.counts
            case RefusalNotice():
                row.refused = notice.counts
            case WaitingNotice():
                row.waiting = notice.messages
            case QuarantineNotice():
                row.quarantined = notice.messages
            case WarningNotice():
                self.warnings.append((notice.controller_id, notice.text))

    def _state(self, row: Row, notice: StateNotice) -> None:
        row.state = notice.state
        row.detail = notice.detail
        row.transport = notice.transport
        row.epoch = notice.epoch or row.epoch
        row.epochs.add(notice.epoch)

    def _cycle(self, row: Row, notice: CycleNotice) -> None:
        row.cycles += 1
        row.last_cycle = notice.cycle
        row.last_cycle_at = time.monotonic()
        row.outcome = notice.outcome
        row.devices = notice.active
        row.sent += 1
        row.new += notice.new
        row.seconds += notice.seconds
        row.probes = {probe.protocol: probe for probe in notice.probes}

    def _commit(self, parent: Row, notice: CommitNotice) -> None:
        parent.reports = notice.reports
        parent.duplicates = notice.duplicates
        parent.devices = notice.active
        for local_id, (epoch, cycle) in notice.cycles.items():
            row = self.rows.get(local_id)
            if row is None or epoch not in row.epochs:
                continue  # a cycle of an earlier run, told again
            if parent.controller_id in self._top:
                row.committed_top = max(row.committed_top, cycle)
            else:
                row.committed = cycle
