"""The statements that change a store, built once: SQLAlchemy caches what it compiles of them."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import Insert, insert

from pdsno_cli.nib.schema import (
    CONTROLLERS,
    CYCLES,
    DEVICES,
    EVENTS,
    MARKS,
    META,
    POLICIES,
    SETTLED,
)

# What makes a device another version of itself. Its uptime is none of it: that always changes.
_CONTENT = (
    DEVICES.c.region,
    DEVICES.c.addresses,
    DEVICES.c.protocols,
    DEVICES.c.mac,
    DEVICES.c.sys_name,
    DEVICES.c.sys_descr,
    DEVICES.c.sys_object_id,
    DEVICES.c.active,
)


def _upsert(table: sa.Table) -> Insert:
    """Return the statement that inserts a row or replaces all but its key."""
    statement = insert(table)
    keys = [column.name for column in table.primary_key]
    return statement.on_conflict_do_update(
        index_elements=keys,
        set_={c.name: statement.excluded[c.name] for c in table.columns if c.name not in keys},
    )


def _upsert_device() -> Insert:
    """Return the statement that takes in a device; ``version`` rises when its content changes."""
    statement = insert(DEVICES)
    new = statement.excluded
    same = sa.and_(*(column.is_not_distinct_from(new[column.name]) for column in _CONTENT))
    seen = DEVICES.c.last_seen
    values: dict[str, sa.ColumnElement[object]] = {c.name: new[c.name] for c in _CONTENT}
    values |= {
        "uptime": new.uptime,
        "memory": new.memory,
        "version": DEVICES.c.version + sa.case((same, 0), else_=1),
        "last_seen": sa.case((new.last_seen > seen, new.last_seen), else_=seen),
    }
    return statement.on_conflict_do_update(index_elements=["local_id", "device_id"], set_=values)


UPSERT_DEVICE = _upsert_device()
DEACTIVATE = (
    sa.update(DEVICES)
    .where(
        DEVICES.c.local_id == sa.bindparam("of_local"),
        DEVICES.c.device_id == sa.bindparam("of_device"),
        DEVICES.c.active,
    )
    .values(active=False, version=DEVICES.c.version + 1)
)
FORGET = sa.delete(DEVICES).where(
    DEVICES.c.local_id == sa.bindparam("of_local"),
    DEVICES.c.device_id == sa.bindparam("of_device"),
)
# Of a local controller, or of a region, that is no longer declared.
GONE_WITH_LOCAL = (
    sa.update(DEVICES)
    .where(DEVICES.c.local_id == sa.bindparam("of_local"), DEVICES.c.active)
    .values(active=False, version=DEVICES.c.version + 1)
)
GONE_WITH_REGION = (
    sa.update(DEVICES)
    .where(DEVICES.c.region == sa.bindparam("of_region"), DEVICES.c.active)
    .values(active=False, version=DEVICES.c.version + 1)
)
DROP_CYCLE = sa.delete(CYCLES).where(CYCLES.c.local_id == sa.bindparam("of_local"))
DROP_CYCLES = sa.delete(CYCLES).where(CYCLES.c.region == sa.bindparam("of_region"))
DROP_MARK = sa.delete(MARKS).where(MARKS.c.stream == sa.bindparam("of_stream"))
PUT_META = _upsert(META)
PUT_MARK = _upsert(MARKS)
PUT_SETTLED = _upsert(SETTLED)
PUT_POLICY = _upsert(POLICIES)
PUT_CONTROLLER = _upsert(CONTROLLERS)
PUT_CYCLE = _upsert(CYCLES)
APPEND_EVENT = sa.insert(EVENTS)
CONTROLLER_STATE = (
    sa.update(CONTROLLERS)
    .where(CONTROLLERS.c.controller_id == sa.bindparam("of_controller"))
    .values(state=sa.bindparam("to_state"))
)

META_VALUE = sa.select(META.c.value).where(META.c.key == sa.bindparam("key"))
MARK = sa.select(MARKS.c.epoch, MARKS.c.seq).where(
    MARKS.c.sender == sa.bindparam("sender"), MARKS.c.stream == sa.bindparam("stream")
)
