"""The changes that a controller makes to its store, all within one transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, Literal

import msgspec
import sqlalchemy as sa

from pdsno_cli.model.devices import Device, Known
from pdsno_cli.model.messages import Event, LocalCycle, PolicyDocument, Summary
from pdsno_cli.nib import outbox, rows
from pdsno_cli.nib import statements as sql
from pdsno_cli.nib.marks import Position, Verdict, judge
from pdsno_cli.nib.outbox import Kept
from pdsno_cli.nib.schema import DEVICES, POLICIES

_Key = tuple[str, str]  # local controller and device
_ACTIVE_KEYS = sa.select(DEVICES.c.local_id, DEVICES.c.device_id).where(DEVICES.c.active)
_ACTIVE_OF_LOCAL = _ACTIVE_KEYS.where(DEVICES.c.local_id == sa.bindparam("local_id"))
_ACTIVE_OF_REGION = _ACTIVE_KEYS.where(DEVICES.c.region == sa.bindparam("region"))
_OF_LOCAL = sa.select(DEVICES.c.device_id).where(DEVICES.c.local_id == sa.bindparam("local_id"))
_POLICY_VERSION = sa.select(POLICIES.c.version).where(POLICIES.c.scope == sa.bindparam("scope"))


class Transaction:
    """One unit of work: all of it is committed, or none. Owner's thread; see ``Store``."""

    def __init__(self, connection: sa.Connection) -> None:
        self._execute = connection.execute

    def judge(self, *, sender: str, stream: str, epoch: int, seq: int) -> Verdict:
        """Judge a message's number against what is committed of its stream."""
        return judge(self.marked(sender, stream), epoch, seq)

    def marked(self, sender: str, stream: str) -> Position | None:
        """Return the last committed number of a stream, None where nothing is."""
        found = self._execute(sql.MARK, {"sender": sender, "stream": stream}).first()
        return Position(*found) if found is not None else None

    def mark(self, *, sender: str, stream: str, epoch: int, seq: int) -> None:
        """Record that a stream is committed up to here, together with what else this block does."""
        self._execute(
            sql.PUT_MARK, {"sender": sender, "stream": stream, "epoch": epoch, "seq": seq}
        )

    def keep(self, message: Kept) -> None:
        """Put a message into the outbox."""
        self._execute(outbox.KEEP, msgspec.structs.asdict(message))

    def settle(self, stream: str, position: Position) -> int:
        """Drop what is acknowledged of a stream; return how many messages that was."""
        values = {"epoch": position.epoch, "seq": position.seq}
        dropped = self._execute(outbox.DROP, {"of_stream": stream, **values}).rowcount
        if dropped:
            self._execute(sql.PUT_SETTLED, {"stream": stream, **values})
        return dropped

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
        Applied again, a report changes nothing.
        """
        present = [rows.device_row(local_id, region, d, at=at) for d in (*new, *updated)]
        gone = {(local_id, device_id) for device_id in inactive}
        lost = self._apply(
            present, gone, within=(_ACTIVE_OF_LOCAL, {"local_id": local_id}), snapshot=snapshot
        )
        return [device_id for _, device_id in lost]

    def apply_summary(self, summary: Summary, *, at: float) -> None:
        """Apply what changed in a region; a snapshot makes its other devices inactive."""
        present = [
            rows.device_row(item.local_id, summary.region, item.device, at=at)
            for item in (*summary.new, *summary.updated)
        ]
        self._apply(
            present,
            {(item.local_id, item.device_id) for item in summary.inactive},
            within=(_ACTIVE_OF_REGION, {"region": summary.region}),
            snapshot=summary.snapshot,
        )

    def put_known(
        self,
        local_id: str,
        region: str,
        known: Iterable[Known],
        *,
        seen: Collection[str],
        at: float,
    ) -> None:
        """Keep all that a local controller now remembers, and forget what it does not.

        The devices whose ids are in ``seen`` are last seen ``at``.
        """
        values = [rows.known_row(local_id, region, item, seen=seen, at=at) for item in known]
        kept = {row["device_id"] for row in values}
        stored = self._execute(_OF_LOCAL, {"local_id": local_id}).scalars()
        forgotten = [{"of_local": local_id, "of_device": one} for one in stored if one not in kept]
        if forgotten:
            self._execute(sql.FORGET, forgotten)
        if values:
            self._execute(sql.UPSERT_DEVICE, values)

    def forget_local(self, local_id: str, stream: str) -> None:
        """Hold nothing of a local controller for present any more.

        Its ``stream`` is unknown from now on: should it report after all, it is asked for all.
        """
        self._execute(sql.GONE_WITH_LOCAL, {"of_local": local_id})
        self._execute(sql.DROP_CYCLE, {"of_local": local_id})
        self._execute(sql.DROP_MARK, {"of_stream": stream})

    def forget_region(self, region: str) -> None:
        """Hold nothing of a region for present any more."""
        self._execute(sql.GONE_WITH_REGION, {"of_region": region})
        self._execute(sql.DROP_CYCLES, {"of_region": region})

    def put_policy(self, document: PolicyDocument, *, at: float) -> bool:
        """Keep a policy; False, and nothing done, when a newer one is kept already."""
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
            },
        )
        return True

    def put_controller(
        self,
        *,
        controller_id: str,
        role: str,
        region: str | None,
        state: Literal["online", "offline"],
        epoch: int,
        connection: int,
        at: float,
    ) -> None:
        """Keep what a controller's status says."""
        self._execute(
            sql.PUT_CONTROLLER,
            {
                "controller_id": controller_id,
                "role": role,
                "region": region,
                "state": state,
                "epoch": epoch,
                "connection": connection,
                "changed_at": at,
            },
        )

    def controller_state(self, controller_id: str, state: Literal["online", "offline"]) -> None:
        """Keep that a controller is judged to be in ``state``."""
        self._execute(sql.CONTROLLER_STATE, {"of_controller": controller_id, "to_state": state})

    def put_cycle(self, cycle: LocalCycle, *, region: str, at: float) -> None:
        """Keep how far a local controller's reports are committed."""
        self._execute(
            sql.PUT_CYCLE,
            {
                "local_id": cycle.local_id,
                "region": region,
                "epoch": cycle.epoch,
                "cycle": cycle.cycle,
                "active": cycle.active,
                "committed_at": at,
            },
        )

    def append_event(self, event: Event, *, sender: str, at: float) -> None:
        """Keep an event for good."""
        self._execute(
            sql.APPEND_EVENT,
            {
                "at": at,
                "sender": sender,
                "event": event.event,
                "severity": event.severity,
                "subject": event.subject,
                "region": event.region,
                "detail": rows.text(event.detail),
            },
        )

    def _apply(
        self,
        present: list[rows.Row],
        gone: set[_Key],
        *,
        within: tuple[sa.Select[Any], dict[str, str]],
        snapshot: bool,
    ) -> list[_Key]:
        """Take in ``present`` and make ``gone`` inactive; return those that were active."""
        lost: list[_Key] = []
        if gone or snapshot:
            active = {(row.local_id, row.device_id) for row in self._execute(*within)}
            listed = {(row["local_id"], row["device_id"]) for row in present}
            lost = sorted(active - listed if snapshot else active & gone)
        if lost:
            self._execute(
                sql.DEACTIVATE, [{"of_local": one, "of_device": other} for one, other in lost]
            )
        if present:
            self._execute(sql.UPSERT_DEVICE, present)
        return lost
