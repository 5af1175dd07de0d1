"""The statements that change a store, built once: SQLAlchemy caches their compiled forms."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import Insert, insert

from pdsno_cli.nib.bulk import Bulk
from pdsno_cli.nib.schema import (
    ANSWERED,
    APPLIED,
    CONTROLLERS,
    CYCLES,
    DEVICES,
    EVENTS,
    META,
    POLICIES,
    SETTLED,
)

# A change of any of these is a new version of a device. The uptime always changes.
_CONTENT = (
    DEVICES.c.region,
    DEVICES.c.addresses,
    DEVICES.c.protocols,
    DEVICES.c.mac,
    DEVICES.c.sys_name,
    DEVICES.c.sys_descr,
    DEVICES.c.sys_object_id,
    DEVICES.c.extra,
    DEVICES.c.active,
)
# Written out, not bound: a bulk statement binds nothing but its rows.
_NONE: sa.ColumnElement[int] = sa.literal_column("0")
_ONE: sa.ColumnElement[int] = sa.literal_column("1")


def upsert(table: sa.Table) -> Insert:
    """Return the statement that inserts a row or replaces all but its key."""
    statement = insert(table)
    keys = [column.name for column in table.primary_key]
    return statement.on_conflict_do_update(
        index_elements=keys,
        set_={c.name: statement.excluded[c.name] for c in table.columns if c.name not in keys},
    )


def prune(table: sa.Table, *of: sa.Column[str]) -> sa.Delete:
    """Return the statement that deletes rows whose epoch is further before the latest than ``history``.

    The latest is that of the rows with the same columns ``of``.
    """
    latest = table.alias()
    same = sa.and_(*(latest.c[column.name] == column for column in of))
    newest = sa.select(sa.func.max(latest.c.epoch)).where(same).scalar_subquery()
    return sa.delete(table).where(table.c.epoch < newest - sa.bindparam("history"))


def _upsert_device() -> Insert:
    """Return the statement that stores a device; ``version`` rises when its content changes."""
    statement = insert(DEVICES)
    new = statement.excluded
    same = sa.and_(*(column.is_not_distinct_from(new[column.name]) for column in _CONTENT))
    seen = DEVICES.c.last_seen
    values: dict[str, sa.ColumnElement[object]] = {c.name: new[c.name] for c in _CONTENT}
    values |= {
        "uptime": new.uptime,
        "memory": new.memory,
        "version": DEVICES.c.version + sa.case((same, _NONE), else_=_ONE),
        "last_seen": sa.case((new.last_seen > seen, new.last_seen), else_=seen),
    }
    return statement.on_conflict_do_update(index_elements=["local_id", "device_id"], set_=values)


def _upsert_cycle() -> Insert:
    """Return the statement that stores a cycle; without ``seen_at`` that and ``silent`` are kept."""
    statement = insert(CYCLES)
    new = statement.excluded
    values: dict[str, sa.ColumnElement[object]] = {
        c.name: new[c.name] for c in CYCLES.columns if c.name != "local_id"
    }
    for kept in (CYCLES.c.seen_at, CYCLES.c.silent):
        values[kept.name] = sa.func.coalesce(new[kept.name], kept)
    return statement.on_conflict_do_update(index_elements=["local_id"], set_=values)


PUT_DEVICES = Bulk(DEVICES, _upsert_device())
PUT_CYCLES = Bulk(CYCLES, _upsert_cycle())
RECORD_LAST_SEEN = (
    sa.update(DEVICES)
    .where(
        DEVICES.c.local_id == sa.bindparam("of_local"),
        DEVICES.c.device_id == sa.bindparam("of_device"),
        DEVICES.c.last_seen < sa.bindparam("seen_at"),
    )
    .values(
        last_seen=sa.bindparam("seen_at"),
        uptime=DEVICES.c.uptime + sa.bindparam("seen_at") - DEVICES.c.last_seen,
    )
)
APPEND_EVENTS = Bulk(EVENTS, insert(EVENTS))
DEACTIVATE = (
    sa.update(DEVICES)
    .where(
        DEVICES.c.local_id == sa.bindparam("of_local"),
        DEVICES.c.device_id == sa.bindparam("of_device"),
        DEVICES.c.active,
    )
    .values(active=False, version=DEVICES.c.version + 1)
)
DROP_DEVICE = sa.delete(DEVICES).where(
    DEVICES.c.local_id == sa.bindparam("of_local"),
    DEVICES.c.device_id == sa.bindparam("of_device"),
)
DROP_DEVICES_OF_LOCAL = sa.delete(DEVICES).where(DEVICES.c.local_id == sa.bindparam("of_local"))
DROP_APPLIED = sa.delete(APPLIED).where(APPLIED.c.controller_id == sa.bindparam("of_controller"))
# Of a local controller or a region that is no longer declared.
DEACTIVATE_LOCAL = (
    sa.update(DEVICES)
    .where(DEVICES.c.local_id == sa.bindparam("of_local"), DEVICES.c.active)
    .values(active=False, version=DEVICES.c.version + 1)
)
DEACTIVATE_ELSEWHERE = (
    sa.update(DEVICES)
    .where(
        DEVICES.c.local_id == sa.bindparam("of_local"),
        DEVICES.c.region != sa.bindparam("of_region"),
        DEVICES.c.active,
    )
    .values(active=False, version=DEVICES.c.version + 1)
)
MOVE_CYCLE = (
    sa.update(CYCLES)
    .where(CYCLES.c.local_id == sa.bindparam("of_local"))
    .values(region=sa.bindparam("of_region"))
)
DEACTIVATE_REGION = (
    sa.update(DEVICES)
    .where(DEVICES.c.region == sa.bindparam("of_region"), DEVICES.c.active)
    .values(active=False, version=DEVICES.c.version + 1)
)
DROP_CYCLE = sa.delete(CYCLES).where(CYCLES.c.local_id == sa.bindparam("of_local"))
DROP_CYCLES = sa.delete(CYCLES).where(CYCLES.c.region == sa.bindparam("of_region"))
PUT_META = upsert(META)
PUT_ANSWERED = upsert(ANSWERED)
PRUNE_ANSWERED = sa.delete(ANSWERED).where(ANSWERED.c.at < sa.bindparam("before"))
PUT_SETTLED = upsert(SETTLED)
PUT_POLICY = upsert(POLICIES)
DROP_POLICY = sa.delete(POLICIES).where(POLICIES.c.scope == sa.bindparam("of_scope"))
PUT_APPLIED = upsert(APPLIED)
PUT_CONTROLLER = upsert(CONTROLLERS)
SET_CONTROLLER_STATE = (
    sa.update(CONTROLLERS)
    .where(CONTROLLERS.c.controller_id == sa.bindparam("of_controller"))
    .values(state=sa.bindparam("to_state"))
)

DROP_CONTROLLER = sa.delete(CONTROLLERS).where(
    CONTROLLERS.c.controller_id == sa.bindparam("of_controller")
)
RECORD_HEARTBEAT = (
    sa.update(CONTROLLERS)
    .where(
        CONTROLLERS.c.controller_id == sa.bindparam("of_controller"),
        CONTROLLERS.c.epoch == sa.bindparam("in_epoch"),
    )
    .values(seq=sa.bindparam("to_seq"))
)

EPOCH = {"key": "epoch"}
META_VALUE = sa.select(META.c.value).where(META.c.key == sa.bindparam("key"))
