"""The queries on a store, for the controller that owns it and for readers in other processes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, Self, TypeVar

import msgspec
import sqlalchemy as sa

from pdsno_cli.model.devices import Device, Known
from pdsno_cli.model.messages import Event, LocalCycle, RegionDevice
from pdsno_cli.nib import inbox_table, outbox_table, rows
from pdsno_cli.nib.audit import Sent
from pdsno_cli.nib.contents import Contents, contents
from pdsno_cli.nib.database import Database
from pdsno_cli.nib.details_table import DetailQueries
from pdsno_cli.nib.inbox_table import Quarantined
from pdsno_cli.nib.offsets import START, Offset, StreamCounters
from pdsno_cli.nib.outbox_table import Backlog, OutboxRecord
from pdsno_cli.nib.rows import (
    AppliedRecord,
    ControllerRecord,
    DeviceRecord,
    EventRecord,
    PolicyRecord,
)
from pdsno_cli.nib.schema import ANSWERED, APPLIED, CONTROLLERS, CYCLES, DEVICES, EVENTS, POLICIES

Record = TypeVar("Record")

_ALL_DEVICES = sa.select(DEVICES).order_by(DEVICES.c.local_id, DEVICES.c.device_id)
_REGION_DEVICES = sa.select(
    DEVICES.c.local_id,
    DEVICES.c.device_id,
    DEVICES.c.addresses,
    DEVICES.c.protocols,
    DEVICES.c.mac,
    DEVICES.c.sys_name,
    DEVICES.c.sys_descr,
    DEVICES.c.sys_object_id,
    DEVICES.c.uptime,
    DEVICES.c.extra,
).order_by(DEVICES.c.local_id, DEVICES.c.device_id)
_MAC = list(_REGION_DEVICES.selected_columns.keys()).index("mac")
_ACTIVE_DEVICES = _REGION_DEVICES.where(DEVICES.c.active)
_INACTIVE_DEVICES = _REGION_DEVICES.where(sa.not_(DEVICES.c.active))
COUNT_ACTIVE = sa.select(sa.func.count()).select_from(DEVICES).where(DEVICES.c.active)
_POLICY = sa.select(POLICIES).where(POLICIES.c.scope == sa.bindparam("scope"))
_APPLIED = sa.select(APPLIED)
_CYCLES = sa.select(CYCLES).order_by(CYCLES.c.local_id)
_REGIONS = sa.select(DEVICES.c.region).where(DEVICES.c.active).distinct()
_EVER_REGIONS = sa.select(DEVICES.c.region).distinct()
_REGIONS_OF_LOCALS = (
    sa.select(DEVICES.c.local_id, DEVICES.c.region).where(DEVICES.c.active).distinct()
)
_CONTROLLERS = sa.select(CONTROLLERS).order_by(CONTROLLERS.c.controller_id)
_ALL_EVENTS = 2**62
_EVENTS = (
    sa.select(EVENTS)
    .where(EVENTS.c.id > sa.bindparam("after"), EVENTS.c.at >= sa.bindparam("since"))
    .order_by(EVENTS.c.id.desc())
    .limit(sa.bindparam("last"))
)
_PLACES = (
    sa.select(DEVICES.c.mac, DEVICES.c.region)
    .where(DEVICES.c.active, DEVICES.c.mac.is_not(None))
    .distinct()
    .subquery()
)
_ROAMERS = (
    sa.select(_PLACES.c.mac).group_by(_PLACES.c.mac).having(sa.func.count() > 1).scalar_subquery()
)
_SEVERAL_REGIONS = sa.select(_PLACES.c.mac, _PLACES.c.region).where(_PLACES.c.mac.in_(_ROAMERS))

_ANSWERED = sa.select(ANSWERED.c.at).where(ANSWERED.c.message_id == sa.bindparam("message_id"))

_detail = msgspec.json.Decoder(dict[str, str | int | float | list[str]]).decode


class Queries(DetailQueries):
    """Returns the rows of a store as typed values; one thread may use it."""

    def __init__(self, connection: sa.Connection, database: Database) -> None:
        self._connection = connection
        self._database = database

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def version(self) -> int:
        """Return the version of the tables, 0 when there are none yet."""
        with self._database.transaction(self._connection, write=False):
            return self._database.version(self._connection)

    def known(self) -> dict[str, Known]:
        """Return the devices that a local controller knows, by id."""
        return {row.device_id: rows.known(row) for row in self._all(_ALL_DEVICES)}

    def devices(self, *, active: bool | None = None) -> list[RegionDevice]:
        """Return all devices, or only those that are (or are not) active."""
        if active is None:
            wanted = _REGION_DEVICES
        else:
            wanted = _ACTIVE_DEVICES if active else _INACTIVE_DEVICES
        found: Sequence[Sequence[Any]] = self._all(wanted)
        return [rows.region_device(*row) for row in found]

    def device_records(self) -> list[DeviceRecord]:
        """Return every device with its history."""
        cycles = {cycle.local_id: cycle for cycle in self.cycles()}
        records = map(rows.device_record, self._all(_ALL_DEVICES))
        return [rows.seen_since(record, cycles.get(record.local_id)) for record in records]

    def contents(self) -> dict[str, Contents]:
        """Return the contents of each local controller that has active devices, by its id."""
        found: dict[str, list[Device]] = {}
        for item in self.devices(active=True):
            found.setdefault(item.local_id, []).append(item.device)
        return {name: contents(devices) for name, devices in found.items()}

    def count_active(self) -> int:
        """Return how many devices are present."""
        return int(self._all(COUNT_ACTIVE)[0][0])

    def macs_in_several_regions(self) -> dict[str, set[str]]:
        """Return each MAC that is present in more than one region, with those regions."""
        found: dict[str, set[str]] = {}
        for row in self._all(_SEVERAL_REGIONS):
            found.setdefault(row.mac, set()).add(row.region)
        return found

    def devices_with_macs(
        self, macs: Collection[str], *, active: bool
    ) -> dict[str, list[RegionDevice]]:
        """Return the devices with one of these MACs, by MAC."""
        found: dict[str, list[RegionDevice]] = {}
        wanted = _ACTIVE_DEVICES if active else _INACTIVE_DEVICES
        devices: Sequence[Sequence[Any]] = self._all(wanted)
        for item in (rows.region_device(*row) for row in devices if row[_MAC] in macs):
            found.setdefault(item.device.mac or "", []).append(item)
        return found

    def policy(self, scope: str) -> PolicyRecord | None:
        """Return the policy in force of a region or of ``global``."""
        found = self._all(_POLICY, {"scope": scope})
        return rows.policy_record(found[0]) if found else None

    def applied(self) -> list[AppliedRecord]:
        """Return the policies that controllers announced as applied."""
        return self._structs(AppliedRecord, _APPLIED)

    def cycles(self) -> list[LocalCycle]:
        """Return the last committed cycle of each local controller."""
        return [rows.local_cycle(row) for row in self._all(_CYCLES)]

    def homes(self) -> dict[str, tuple[str, int]]:
        """Return the region and the epoch of each local controller's last committed cycle."""
        return {row.local_id: (row.region, row.epoch) for row in self._all(_CYCLES)}

    def regions_of_locals(self) -> set[tuple[str, str]]:
        """Return the pairs of a local controller and a region in which it has active devices."""
        return {(row.local_id, row.region) for row in self._all(_REGIONS_OF_LOCALS)}

    def regions(self) -> set[str]:
        """Return the regions that have active devices."""
        return {row.region for row in self._all(_REGIONS)}

    def former_regions(self) -> set[str]:
        """Return the regions that have devices, active or not."""
        return {row.region for row in self._all(_EVER_REGIONS)}

    def controllers(self) -> list[ControllerRecord]:
        """Return the controllers that this one monitors, as of their last status."""
        return self._structs(ControllerRecord, _CONTROLLERS)

    def events(
        self, last: int | None = 100, *, since: float = 0.0, after: int = 0
    ) -> list[EventRecord]:
        """Return the last events since a time and after a number, the oldest first.

        None for ``last`` returns all of them.
        """
        return [
            EventRecord(
                id=row.id,
                at=row.at,
                sender=row.sender,
                event=Event(
                    event=row.event,
                    severity=row.severity,
                    subject=row.subject,
                    region=row.region,
                    detail=_detail(row.detail),
                ),
            )
            for row in reversed(
                self._all(
                    _EVENTS,
                    {"last": _ALL_EVENTS if last is None else last, "since": since, "after": after},
                )
            )
        ]

    def committed(self, sender: str, stream: str) -> Offset | None:
        """Return the offset up to which a stream is committed, None if nothing of it is."""
        found = self._all(inbox_table.LATEST, {"of_sender": sender, "of_stream": stream})
        return Offset(found[0].epoch, found[0].seq) if found else None

    def counters(self) -> dict[tuple[str, str, int], StreamCounters]:
        """Return the counters of received streams, by sender, stream and epoch."""
        return {
            (row.sender, row.stream, row.epoch): inbox_table.read_counters(row)
            for row in self._all(inbox_table.ALL)
        }

    def incomplete_streams(self) -> list[tuple[str, str]]:
        """Return the senders and streams of which fragments are kept."""
        return [(row.sender, row.stream) for row in self._all(inbox_table.INCOMPLETE)]

    def quarantined(self) -> list[Quarantined]:
        """Return the messages in quarantine, the oldest first."""
        return self._structs(Quarantined, inbox_table.QUARANTINED)

    def quarantine_entry(self, entry: int) -> Quarantined | None:
        """Return one message in quarantine, None if there is no such entry."""
        found = self._structs(Quarantined, inbox_table.ONE_QUARANTINED, {"of_id": entry})
        return found[0] if found else None

    def count_quarantined(self) -> int:
        """Return how many messages are in quarantine."""
        return int(self._all(inbox_table.COUNT_QUARANTINED)[0][0])

    def answered(self, message_id: str) -> bool:
        """Return True if a command was answered, and so was executed or refused."""
        return bool(self._all(_ANSWERED, {"message_id": message_id}))

    def sent(self) -> list[Sent]:
        """Return this sender's own record of each epoch of each stream, as of one moment."""
        ranges: dict[tuple[str, int], list[tuple[int, int]]] = {}
        waiting: dict[tuple[str, int], dict[int, float]] = {}
        with self._database.transaction(self._connection, write=False):
            for row in self._all(outbox_table.ALL_COALESCED):
                ranges.setdefault((row.stream, row.epoch), []).append((row.first, row.last))
            for row in self._all(outbox_table.NUMBERS):
                waiting.setdefault((row.stream, row.epoch), {})[row.seq] = row.kept_at
            return [
                Sent(
                    stream=row.stream,
                    epoch=row.epoch,
                    last=row.seq,
                    waiting=waiting.get((row.stream, row.epoch), {}),
                    coalesced=tuple(ranges.get((row.stream, row.epoch), ())),
                    acknowledged=self.acknowledged(row.stream),
                )
                for row in self._all(outbox_table.ALL_ISSUED)
            ]

    def issued(self, stream: str, epoch: int) -> int:
        """Return the last number assigned in an epoch of a stream, 0 if none was."""
        found = self._all(outbox_table.ISSUED_IN, {"stream": stream, "epoch": epoch})
        return int(found[0].seq) if found else 0

    def last_coalesced(self, stream: str) -> Offset:
        """Return the offset of the last message of a stream that was coalesced."""
        found = self._all(outbox_table.LAST_COALESCED, {"stream": stream})
        return Offset(found[0].epoch, found[0].last) if found else START

    def coalesced(self) -> dict[tuple[str, int], list[tuple[int, int]]]:
        """Return the coalesced numbers, as ranges by stream and epoch."""
        found: dict[tuple[str, int], list[tuple[int, int]]] = {}
        for row in self._all(outbox_table.ALL_COALESCED):
            found.setdefault((row.stream, row.epoch), []).append((row.first, row.last))
        return found

    def backlog(self, stream: str) -> Backlog:
        """Return the backlog of a stream."""
        row = self._all(outbox_table.BACKLOG, {"stream": stream})[0]
        return Backlog(messages=row.messages, size=row.size, oldest=row.oldest)

    def outbox_streams(self) -> list[str]:
        """Return the streams that have messages in the outbox."""
        return [row.stream for row in self._all(outbox_table.STREAMS)]

    def outbox(self, stream: str, after: Offset, most: int) -> list[OutboxRecord]:
        """Return the next messages of a stream, in order."""
        values = {"stream": stream, "epoch": after.epoch, "seq": after.seq, "most": most}
        return self._structs(OutboxRecord, outbox_table.NEXT, values)

    def outbox_count(self) -> int:
        """Return how many messages are in the outbox."""
        return int(self._all(outbox_table.COUNT)[0][0])

    def acknowledged(self, stream: str) -> Offset:
        """Return the offset up to which a stream is acknowledged."""
        found = self._all(outbox_table.ACKNOWLEDGED, {"stream": stream})
        return Offset(found[0].epoch, found[0].seq) if found else START

    def _structs(
        self,
        kind: Callable[..., Record],
        statement: sa.Select[Any],
        values: dict[str, object] | None = None,
    ) -> list[Record]:
        """Return the rows as values of a type whose members are the columns."""
        found = self._all(statement, values)
        return [kind(**row._mapping) for row in found]  # noqa: SLF001 - SQLAlchemy's public name

    def _all(
        self, statement: sa.Select[Any], values: dict[str, object] | None = None
    ) -> Sequence[sa.Row[Any]]:
        self._flush()
        with self._database.transaction(self._connection, write=False):
            return self._connection.execute(statement, values).all()

    def _flush(self) -> None:
        """Write the buffered rows of the current transaction, so that queries see them."""
