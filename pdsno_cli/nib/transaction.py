"""The changes that a controller makes to its store, all within one transaction."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Literal, Self

import sqlalchemy as sa

from pdsno_cli.model.devices import Device, Known
from pdsno_cli.model.messages import Event, LocalCycle, PolicyDocument, Summary
from pdsno_cli.nib import inbox_table, rows
from pdsno_cli.nib import statements as sql
from pdsno_cli.nib.details_table import DetailWrites
from pdsno_cli.nib.inbox_table import Advance, InboxCounters
from pdsno_cli.nib.schema import CYCLES, DEVICES, POLICIES
from pdsno_cli.nib.stream_writes import StreamWrites
from pdsno_cli.nib.write_buffer import WriteBuffer

_Then = Callable[[], None]
_Key = tuple[str, str]  # local controller and device
_ACTIVE_KEYS = sa.select(DEVICES.c.local_id, DEVICES.c.device_id).where(DEVICES.c.active)
_ACTIVE_OF_LOCAL = _ACTIVE_KEYS.where(DEVICES.c.local_id == sa.bindparam("local_id"))
_ACTIVE_OF_REGION = _ACTIVE_KEYS.where(DEVICES.c.region == sa.bindparam("region"))
_OF_LOCAL = sa.select(DEVICES.c.device_id).where(DEVICES.c.local_id == sa.bindparam("local_id"))
_CYCLE_OF_LOCAL = sa.select(CYCLES).where(CYCLES.c.local_id == sa.bindparam("local_id"))
_POLICY_VERSION = sa.select(POLICIES.c.version).where(POLICIES.c.scope == sa.bindparam("scope"))


class Transaction(StreamWrites, DetailWrites):
    """One unit of work: all of it is committed, or none. Owner's thread; see ``Store``.

    Rows are buffered, and written before the next query or at the end. ``begin`` begins the
    transaction in the database; until then it is in memory alone.
    """

    def __init__(
        self, connection: sa.Connection, counters: InboxCounters, begin: Callable[[], None]
    ) -> None:
        self._connection = connection
        self._counters = counters
        self._begin = begin
        self.is_async = False
        self.advanced: Sequence[Advance] = ()  # the streams that it advances, set by ``finish``
        self._buffer = WriteBuffer()
        self._committed: dict[_Then, None] = {}
        self._undone: dict[_Then, None] = {}

    def __enter__(self) -> Self:
        """Join the transaction that has begun."""
        return self

    def __exit__(self, *_: object) -> None:
        """Leave commit and rollback to the block that began it."""

    def on_commit(self, then: _Then) -> None:
        """Call ``then`` once when this is committed."""
        self._committed[then] = None

    def on_rollback(self, then: _Then) -> None:
        """Call ``then`` once when this is rolled back."""
        self._undone[then] = None

    def commit_async(self) -> None:
        """Commit this on the pipeline's thread, while the next transaction is gathered."""
        self.is_async = True

    def flush(self) -> None:
        """Begin in the database, and write the buffered rows."""
        self._begin()
        self.write()

    def finish(self) -> None:
        """Buffer the last rows, the counters of streams."""
        counters, self.advanced = self._counters.take()
        self._buffer.add_rows(inbox_table.PUT, counters)

    def write(self) -> None:
        """Write the buffered rows into the transaction that has begun in the database."""
        self._buffer.write(self._connection)

    def finished(self, committed: bool) -> None:
        """Call the callbacks of a commit, or of a rollback in reverse order."""
        if not committed:
            self._counters.clear()
        for then in self._committed if committed else reversed(self._undone):
            then()

    def take_present(self) -> list[tuple[str, dict[str, Device]]]:
        """Return the devices that were written as present since the last call.

        They are grouped by local controller, then by id; a later group of a local replaces its
        earlier ones.
        """
        return self._buffer.take_present()

    @property
    def cycles(self) -> Mapping[str, LocalCycle]:
        """The last cycle of each local controller whose cycle was written so far."""
        return self._buffer.cycles

    def apply_changes(
        self,
        *,
        local_id: str,
        region: str,
        new: Iterable[Device],
        updated: Iterable[Device],
        inactive: Iterable[str],
        snapshot: bool,
        at: float,
    ) -> list[str]:
        """Apply a local controller's report; return the ids of the devices it made inactive.

        A ``snapshot`` lists every present device: the others of that local become inactive.
        Applying a report again changes nothing.
        """
        present = (*new, *updated)
        lost: list[_Key] = []
        if inactive or snapshot:
            lost = self._deactivate(
                {(local_id, device_id) for device_id in inactive},
                {(local_id, device.device_id) for device in present},
                within=(_ACTIVE_OF_LOCAL, {"local_id": local_id}),
                replaced=lambda _: snapshot,
            )
        self._buffer.add_devices(local_id, region, present, at=at)
        return [device_id for _, device_id in lost]

    def apply_summary(self, summary: Summary, *, at: float) -> None:
        """Apply the changes of a region; what a snapshot does not list becomes inactive."""
        present = (*summary.new, *summary.updated)
        if summary.inactive or summary.snapshot:
            whole, unknown = frozenset(summary.whole), frozenset(summary.unknown)
            self._deactivate(
                {(item.local_id, item.device_id) for item in summary.inactive},
                {(item.local_id, item.device.device_id) for item in present},
                within=(_ACTIVE_OF_REGION, {"region": summary.region}),
                replaced=lambda name: name in whole or (summary.snapshot and name not in unknown),
            )
        elif summary.whole:
            listed = {(item.local_id, item.device.device_id) for item in present}
            for local_id in summary.whole:  # not the whole region: there may be many in a summary
                self._deactivate(
                    set(),
                    listed,
                    within=(_ACTIVE_OF_LOCAL, {"local_id": local_id}),
                    replaced=lambda _: True,
                )
        for item in present:
            self._buffer.add_devices(item.local_id, summary.region, (item.device,), at=at)

    def put_known(
        self,
        local_id: str,
        region: str,
        known: Iterable[Known],
        *,
        seen: Collection[str],
        at: float,
    ) -> None:
        """Replace all devices that a local controller knows.

        Those whose ids are in ``seen`` are last seen ``at``.
        """
        values = [rows.known_row(local_id, region, item, seen=seen, at=at) for item in known]
        kept = {row[1] for row in values}
        stored = self._execute(_OF_LOCAL, {"local_id": local_id}).scalars()
        forgotten = [{"of_local": local_id, "of_device": one} for one in stored if one not in kept]
        if forgotten:
            self._execute(sql.DROP_DEVICE, forgotten)
            self.drop_details(local_id, (row["of_device"] for row in forgotten))
        self._buffer.add_rows(sql.PUT_DEVICES, values)

    def forget_local(self, local_id: str, stream: str) -> None:
        """Make all devices of a local controller inactive, and forget its ``stream``.

        If it reports again, a snapshot is requested.
        """
        self._execute(sql.DEACTIVATE_LOCAL, {"of_local": local_id})
        self._execute(sql.DROP_CYCLE, {"of_local": local_id})
        self._counters.drop(stream)

    def drop_local(self, local_id: str) -> None:
        """Delete all devices and the cycle of a local controller that is removed for good."""
        self._execute(sql.DROP_DEVICES_OF_LOCAL, {"of_local": local_id})
        self.drop_details(local_id)
        self._execute(sql.DROP_CYCLE, {"of_local": local_id})

    def forget_sender(self, sender: str) -> None:
        """Forget every stream of a controller that is removed for good, and what it has applied."""
        self._execute(sql.DROP_APPLIED, {"of_controller": sender})
        self._counters.drop_sender(sender)

    def move_local(self, local_id: str, region: str) -> None:
        """Make the devices of a local controller in regions other than this one inactive."""
        values = {"of_local": local_id, "of_region": region}
        self._execute(sql.DEACTIVATE_ELSEWHERE, values)
        self._execute(sql.MOVE_CYCLE, values)

    def forget_region(self, region: str) -> None:
        """Make all devices of a region inactive."""
        self._execute(sql.DEACTIVATE_REGION, {"of_region": region})
        self._execute(sql.DROP_CYCLES, {"of_region": region})

    def put_policy(
        self, document: PolicyDocument, *, at: float, instead_of: PolicyDocument | None = None
    ) -> bool:
        """Store a policy; return False, and do nothing, if a newer one is stored.

        ``instead_of`` is the topology file's policy, where an operator replaced it by this one.
        """
        found = self._execute(_POLICY_VERSION, {"scope": document.scope}).first()
        if found is not None and found.version > document.version:
            return False
        self._execute(
            sql.PUT_POLICY,
            {
                "scope": document.scope,
                "version": document.version,
                "document": rows.text(document),
                "received_at": at,
                "instead_of": None if instead_of is None else rows.text(instead_of),
            },
        )
        return True

    def drop_policy(self, scope: str) -> None:
        """Delete the policy of a scope, so that any version may follow."""
        self._execute(sql.DROP_POLICY, {"of_scope": scope})

    def put_applied(self, controller_id: str, scope: str, version: int, *, at: float) -> None:
        """Store the version of a scope's policy that a controller has applied."""
        self._execute(
            sql.PUT_APPLIED,
            {"controller_id": controller_id, "scope": scope, "version": version, "at": at},
        )

    def put_controller(
        self,
        *,
        controller_id: str,
        role: str,
        region: str | None,
        state: Literal["online", "offline"],
        epoch: int,
        connection: int,
        seq: int,
        at: float,
    ) -> None:
        """Store a controller's status."""
        self._execute(
            sql.PUT_CONTROLLER,
            {
                "controller_id": controller_id,
                "role": role,
                "region": region,
                "state": state,
                "epoch": epoch,
                "connection": connection,
                "seq": seq,
                "changed_at": at,
            },
        )

    def set_controller_state(self, controller_id: str, state: Literal["online", "offline"]) -> None:
        """Store the state that the parent judged a controller to be in."""
        self._execute(sql.SET_CONTROLLER_STATE, {"of_controller": controller_id, "to_state": state})

    def record_heartbeats(self, numbers: Iterable[tuple[str, int, int]]) -> None:
        """Store the last heartbeat of some controllers: id, epoch and seq of each."""
        values = [{"of_controller": one, "in_epoch": e, "to_seq": s} for one, e, s in numbers]
        if values:
            self._execute(sql.RECORD_HEARTBEAT, values)

    def forget_controller(self, controller_id: str) -> None:
        """Delete a controller's status."""
        self._execute(sql.DROP_CONTROLLER, {"of_controller": controller_id})

    def record_last_seen(self, local_id: str, device_ids: Iterable[str]) -> None:
        """Store when devices that no longer answer were last seen, before the next cycle is stored.

        While a device answers, the cycles of its local controller record that for all of them.
        """
        row = self._execute(_CYCLE_OF_LOCAL, {"local_id": local_id}).first()
        if row is None or row.seen_at is None:
            return
        silent = rows.local_cycle(row).silent
        values = [
            {"of_local": local_id, "of_device": one, "seen_at": row.seen_at}
            for one in device_ids
            if one not in silent
        ]
        if values:
            self._execute(sql.RECORD_LAST_SEEN, values)

    def put_cycle(self, cycle: LocalCycle, *, region: str, at: float) -> None:
        """Store the last cycle of a local controller that is committed."""
        self._buffer.add_cycle(cycle, region, at=at)

    def append_event(self, event: Event, *, sender: str, at: float) -> None:
        """Append an event; events are never changed or deleted."""
        self._buffer.add_rows(sql.APPEND_EVENTS, (rows.event_row(event, sender=sender, at=at),))

    def _deactivate(
        self,
        gone: set[_Key],
        listed: set[_Key],
        *,
        within: tuple[sa.Select[Any], dict[str, str]],
        replaced: Callable[[str], bool],
    ) -> list[_Key]:
        """Make ``gone`` inactive, and what is not ``listed`` of local controllers ``replaced``.

        Return those that were active.
        """
        active = {(row.local_id, row.device_id) for row in self._execute(*within)}
        lost = sorted(key for key in active - listed if key in gone or replaced(key[0]))
        if lost:
            self._execute(
                sql.DEACTIVATE, [{"of_local": one, "of_device": other} for one, other in lost]
            )
        return lost

    def _execute(
        self, statement: sa.Executable, values: Mapping[str, Any] | list[dict[str, Any]]
    ) -> sa.CursorResult[Any]:
        self.flush()
        return self._connection.execute(statement, values)
