"""The details of devices and what changed of them: what a transaction writes, what queries return."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import Insert, insert

from pdsno_cli.model.details import Detail, DeviceDetail
from pdsno_cli.model.history import DeviceChange
from pdsno_cli.nib.bulk import Bulk
from pdsno_cli.nib.schema import DETAILS, HISTORY
from pdsno_cli.nib.statements import upsert

if TYPE_CHECKING:
    from pdsno_cli.nib.write_buffer import WriteBuffer

HISTORY_SECONDS = 30 * 86_400.0  # for which changes are kept

_encode = msgspec.json.Encoder().encode
_detail = msgspec.json.Decoder(Detail).decode
_fields = msgspec.json.Decoder(dict[str, tuple[str, str]]).decode


def _upsert_detail() -> Insert:
    """Return the statement that stores a detail; a brief one keeps the equal one with interfaces."""
    statement = insert(DETAILS)
    new = statement.excluded
    keep = sa.and_(new.brief, sa.not_(DETAILS.c.brief), new.digest == DETAILS.c.digest)
    values: dict[str, sa.ColumnElement[object]] = {
        column.name: sa.case((keep, column), else_=new[column.name])
        for column in (DETAILS.c.digest, DETAILS.c.brief, DETAILS.c.document)
    }
    return statement.on_conflict_do_update(
        index_elements=["local_id", "device_id"], set_={**values, "at": new.at}
    )


_PUT_DETAILS = Bulk(DETAILS, _upsert_detail())
_PUT_HISTORY = Bulk(HISTORY, upsert(HISTORY))
_OF_LOCAL: sa.BindParameter[str] = sa.bindparam("of_local")
_OF_DEVICE: sa.BindParameter[str] = sa.bindparam("of_device")
_DROP = tuple(
    sa.delete(table).where(table.c.local_id == _OF_LOCAL, table.c.device_id == _OF_DEVICE)
    for table in (DETAILS, HISTORY)
)
_DROP_OF_LOCAL = tuple(
    sa.delete(table).where(table.c.local_id == _OF_LOCAL) for table in (DETAILS, HISTORY)
)
PRUNE = sa.delete(HISTORY).where(HISTORY.c.at < sa.bindparam("before"))
_DETAILS = sa.select(DETAILS).order_by(DETAILS.c.local_id, DETAILS.c.device_id)
_DIGESTS = sa.select(DETAILS.c.device_id, DETAILS.c.digest).where(DETAILS.c.local_id == _OF_LOCAL)
_HISTORY = (
    sa.select(HISTORY)
    .where(HISTORY.c.local_id == _OF_LOCAL, HISTORY.c.device_id == _OF_DEVICE)
    .order_by(HISTORY.c.at)
)


class DetailRecord(NamedTuple):
    """The detail of a device as stored ``at`` a Unix time; see ``DeviceDetail`` for ``brief``."""

    local_id: str
    device_id: str
    digest: str
    brief: bool
    at: float
    detail: Detail


class ChangeRecord(NamedTuple):
    """One change of a device, and the Unix time at which it was stored."""

    at: float
    change: DeviceChange


class DetailWrites(ABC):
    """A part of ``Transaction``; owner's thread."""

    _buffer: WriteBuffer

    def put_details(self, local_id: str, details: Iterable[DeviceDetail], *, at: float) -> None:
        """Store the details of devices, each of them whole: see ``details.joined``."""
        self._buffer.add_rows(
            _PUT_DETAILS,
            (
                (
                    local_id,
                    item.device_id,
                    item.digest,
                    item.brief,
                    at,
                    _encode(item.detail).decode(),
                )
                for item in details
            ),
        )

    def add_history(self, local_id: str, changes: Iterable[DeviceChange], *, at: float) -> None:
        """Add what changed of devices."""
        self._buffer.add_rows(
            _PUT_HISTORY,
            (
                (local_id, item.device_id, at, item.kind, _encode(item.fields).decode())
                for item in changes
            ),
        )

    def drop_details(self, local_id: str, device_ids: Iterable[str] | None = None) -> None:
        """Delete the details and the history of devices; of all of a local controller for None."""
        if device_ids is None:
            for statement in _DROP_OF_LOCAL:
                self._execute(statement, {"of_local": local_id})
            return
        rows = [{"of_local": local_id, "of_device": one} for one in device_ids]
        for statement in _DROP if rows else ():
            self._execute(statement, rows)

    @abstractmethod
    def _execute(
        self, statement: sa.Executable, values: Mapping[str, Any] | list[dict[str, Any]]
    ) -> sa.CursorResult[Any]:
        """Execute a statement within the transaction."""


class DetailQueries(ABC):
    """A part of ``Queries``."""

    def details(self) -> list[DetailRecord]:
        """Return every detail."""
        return [
            DetailRecord(
                row.local_id, row.device_id, row.digest, row.brief, row.at, _detail(row.document)
            )
            for row in self._all(_DETAILS)
        ]

    def detail_digests(self, local_id: str) -> dict[str, str]:
        """Return the digest of each detail of a local controller's devices, by device id."""
        return {row.device_id: row.digest for row in self._all(_DIGESTS, {"of_local": local_id})}

    def history(self, local_id: str, device_id: str) -> list[ChangeRecord]:
        """Return what changed of a device, the oldest first."""
        values: dict[str, object] = {"of_local": local_id, "of_device": device_id}
        return [
            ChangeRecord(
                row.at, DeviceChange(device_id=device_id, kind=row.kind, fields=_fields(row.fields))
            )
            for row in self._all(_HISTORY, values)
        ]

    @abstractmethod
    def _all(
        self, statement: sa.Select[Any], values: dict[str, object] | None = None
    ) -> Sequence[sa.Row[Any]]:
        """Return the rows of a query."""
