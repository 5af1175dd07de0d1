"""The current state of a run: one row per controller, updated by its notices.

The live table, the plain lines, ``pdsno status`` and the closing summary all read this.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from pdsno_cli.controllers.liveness import MISSED_BEATS
from pdsno_cli.delivery.subscriptions import children
from pdsno_cli.model.devices import ProbeResult
from pdsno_cli.model.health import UNSEEN, Facts, Health, health
from pdsno_cli.model.notices import (
    CarriedNotice,
    CommitNotice,
    CycleNotice,
    Notice,
    PeerNotice,
    QuarantineNotice,
    RefusalNotice,
    StalledNotice,
    StateNotice,
    TransportsNotice,
    TransportState,
    WaitingNotice,
    WarningNotice,
)
from pdsno_cli.model.probe_warnings import probe_warning
from pdsno_cli.model.roles import Role
from pdsno_cli.model.transports import TRANSPORTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pdsno_cli.spec.topology import Controller, Topology


_SLACK = 2.0  # seconds from a heartbeat's arrival to the parent's notice of it
_ON_BROKER = frozenset(facts.name for facts in TRANSPORTS if facts.needs_broker)


@dataclass(slots=True)
class Row:
    """One controller. Counts are of this run; ``committed`` is its last cycle committed in its region."""

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
    snmp: int = 0  # of the devices, those that speak SNMP
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
    snmp_answered: bool = False  # in any cycle of this run
    warning: str | None = None  # of the last cycle
    epochs: set[int] = field(default_factory=set)
    ready_at: float | None = None  # monotonic seconds
    starts_at: float | None = None  # monotonic seconds, while it waits for its restart
    transports: dict[str, TransportState] = field(default_factory=dict)
    stalled: str | None = None  # a stream
    stalled_since: float | None = None  # Unix seconds
    seen_by: dict[str, PeerNotice] = field(default_factory=dict)


class Board:
    """The rows of one run, in the order of the hierarchy: global, regional, local.

    ``others`` are controllers of other topology files, as their parents in this one see them.
    """

    def __init__(self, topology: Topology) -> None:
        order = list(Role)
        specs = sorted(topology.controllers.values(), key=lambda item: order.index(item.role))
        self.rows = {
            spec.controller_id: Row(spec.controller_id, spec.role, spec.region) for spec in specs
        }
        self.others: dict[str, Row] = {}
        self.warnings: list[tuple[str, str]] = []
        self._relate(topology, specs)

    def reconfigure(self, topology: Topology) -> None:
        """Go by another topology: rows of controllers that stay in their place are kept."""
        before = self.rows
        fresh = Board(topology).rows
        self.rows = {
            name: before[name]
            if name in before and (before[name].role, before[name].region) == (row.role, row.region)
            else row
            for name, row in fresh.items()
        }
        for row in self.rows.values():
            row.seen_by = {name: seen for name, seen in row.seen_by.items() if name in self.rows}
        for name in (*self.rows, *(before.keys() - self.rows.keys())):
            self.others.pop(name, None)
        self._relate(topology, [topology.controllers[name] for name in self.rows])

    def dump(self, broker: str) -> dict[str, Any]:
        """Return all rows as plain data, and the broker's text."""
        return {
            "broker": broker,
            "rows": [msgspec.to_builtins(row) for row in self.rows.values()],
            "others": [msgspec.to_builtins(row) for row in self.others.values()],
        }

    def load(self, data: Mapping[str, Any]) -> None:
        """Replace all rows by those of ``dump``."""
        for name in ("rows", "others"):
            rows = msgspec.convert(data[name], list[Row])
            setattr(self, name, {row.controller_id: row for row in rows})

    def is_healthy(self, name: str) -> bool:
        """Return True if a controller is ready, and a parent receives its heartbeats."""
        row = self.rows[name]
        able = any(self.rows[above].ready_at is not None for above in self._above.get(name, ()))
        heard = self._received(row)[0] or not able
        return row.state == "ready" and self.health(row).level == "ready" and heard

    def _relate(self, topology: Topology, specs: Sequence[Controller]) -> None:
        """Note who is above whom, and how often each controller's heart beats."""
        self._top = {item.controller_id for item in topology.of_role(Role.GLOBAL)}
        self._above: dict[str, list[str]] = {name: [] for name in self.rows}
        for parent in specs:
            for child in children(topology, parent):
                self._above[child.controller_id].append(parent.controller_id)
        self._beats = {spec.controller_id: spec.heartbeat for spec in specs}

    @property
    def shown(self) -> list[Row]:
        """All rows, those of this topology first."""
        return [*self.rows.values(), *self.others.values()]

    @property
    def locals(self) -> list[Row]:
        """The rows of local controllers."""
        return [row for row in self.rows.values() if row.role is Role.LOCAL]

    def ready(self) -> bool:
        """Return True if every controller is ready."""
        return all(row.state == "ready" for row in self.rows.values())

    def committed_everywhere(self, cycles: int) -> bool:
        """Return True if ``cycles`` cycles of every local controller are committed at the top."""
        return all(row.committed_top >= cycles for row in self.locals)

    def health(self, row: Row) -> Health:
        """Return the health of a controller now."""
        now = time.time()
        heard, because = self._received(row)
        return health(
            Facts(
                state=row.state,
                detail=row.detail,
                transport=row.transport,
                transports=row.transports,
                stalled=row.stalled,
                stalled_for=0.0 if row.stalled_since is None else now - row.stalled_since,
                seen_by_parent=heard,
                unseen_reason=because,
            )
        )

    @property
    def well(self) -> bool:
        """Return True if every controller is ready and none of the others is down."""
        return all(self.health(row).level == "ready" for row in self.rows.values()) and not any(
            self.health(row).level == "down" for row in self.others.values()
        )

    def all_on_broker(self) -> bool:
        """Return True unless a controller that tried the broker is not connected to it."""
        return all(state.up for state in self._broker_states())

    def broker(self) -> TransportState | None:
        """Return the broker's state as controllers see it; None before any has tried it.

        It is up if one of them is connected, else down since the first of them lost it.
        """
        seen = self._broker_states()
        up = [state for state in seen if state.up]
        if up:
            return TransportState(up=True, since=min(state.since for state in up))
        if not seen:
            return None
        first = min(seen, key=lambda state: state.since)
        tries = [state.next_try for state in seen if state.next_try is not None]
        return TransportState(
            up=False,
            since=first.since,
            reason=first.reason,
            next_try=min(tries) if tries else None,
        )

    def _broker_states(self) -> list[TransportState]:
        """Return the state of every controller's connection to the broker."""
        return [
            state
            for row in self.rows.values()
            for name, state in row.transports.items()
            if name in _ON_BROKER
        ]

    def _received(self, row: Row) -> tuple[bool | None, str | None]:
        """Return whether a parent receives a controller's heartbeats, None if unknown, and why not."""
        above = self._above.get(row.controller_id)
        if not above:
            return None, None
        ready = {name: self.rows[name].ready_at for name in above}
        # Those of an epoch before are about a process that has ended.
        notices = [
            notice
            for name, notice in row.seen_by.items()
            if ready.get(name) is not None and notice.epoch >= row.epoch
        ]
        if any(notice.alive for notice in notices):
            return True, None
        if notices:
            return (
                False,
                f"{notices[0].controller_id} marks it down ({notices[0].reason or 'unknown'})",
            )
        # No parent has ever seen it: heartbeats may be denied or dropped on their way.
        timeout = MISSED_BEATS * self._beats[row.controller_id] + _SLACK
        since = [row.ready_at, *ready.values()]
        if any(at is None or time.monotonic() - at < timeout for at in since):
            return None, None
        return False, UNSEEN

    def update(self, notice: Notice) -> None:
        """Update the rows with one notice."""
        row = self.rows[notice.controller_id]
        match notice:
            case StateNotice():
                self._state(row, notice)
            case CycleNotice():
                self._cycle(row, notice)
            case CommitNotice():
                self._commit(row, notice)
            case PeerNotice():
                self._peer(notice)
            case WarningNotice():
                self.warnings.append((notice.controller_id, notice.text))
            case _:
                _note(row, notice)

    def _peer(self, notice: PeerNotice) -> None:
        """Note which parent sees a controller; one of another topology has no other notices."""
        name = notice.peer
        if name in self.rows:
            self.rows[name].seen_by[notice.controller_id] = notice
        elif notice.reason == "forgotten":
            self.others.pop(name, None)
        else:
            row = self.others.setdefault(name, Row(name, notice.role, notice.region))
            ended = "stopped" if notice.reason == "stop" else "down"
            row.state = "ready" if notice.alive else ended
            row.detail = f"not of this file; {notice.controller_id} " + (
                "receives its heartbeats"
                if notice.alive
                else f"marks it down ({notice.reason or 'unknown'})"
            )

    def _state(self, row: Row, notice: StateNotice) -> None:
        if notice.state == "ready":
            row.ready_at = row.ready_at if row.state == "ready" else time.monotonic()
        else:
            row.ready_at = None
        if notice.state in ("starting", "connecting"):  # a new process: nothing is known of it yet
            row.transports, row.stalled = {}, None
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
        row.snmp = notice.snmp
        row.sent += 1
        row.new += notice.new
        row.seconds += notice.seconds
        row.probes = {probe.protocol: probe for probe in notice.probes}
        row.warning = probe_warning(notice.probes, before=row.snmp_answered or notice.snmp > 0)
        snmp = row.probes.get("snmp")
        row.snmp_answered |= snmp is not None and snmp.answers > 0

    def _commit(self, parent: Row, notice: CommitNotice) -> None:
        parent.reports = notice.reports
        parent.duplicates = notice.duplicates
        parent.devices = notice.active
        for local_id, (epoch, cycle) in notice.cycles.items():
            row = self.rows.get(local_id)
            if row is None or epoch not in row.epochs:
                continue  # a cycle of an earlier run, reported again
            if parent.controller_id in self._top:
                row.committed_top = max(row.committed_top, cycle)
            else:
                row.committed = cycle


def _note(row: Row, notice: Notice) -> None:
    """Update a row with a notice that replaces the one before."""
    match notice:
        case TransportsNotice():
            row.transports = notice.transports
        case StalledNotice():
            row.stalled, row.stalled_since = notice.stream, notice.since
        case CarriedNotice():
            row.carried = notice.counts
        case RefusalNotice():
            row.refused = notice.counts
        case WaitingNotice():
            row.waiting = notice.messages
        case QuarantineNotice():
            row.quarantined = notice.messages
