"""Reads the detail and the history of one device from the stores on this machine that keep them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pdsno_cli.model.errors import StateError
from pdsno_cli.model.roles import Role
from pdsno_cli.nib.database import MissingStoreError
from pdsno_cli.nib.reader import open_reader
from pdsno_cli.runtime.stores import database_of

if TYPE_CHECKING:
    from pdsno_cli.model.details import Detail
    from pdsno_cli.nib.rows import DeviceRecord
    from pdsno_cli.runtime.state_dir import StateDir
    from pdsno_cli.spec.topology import Topology


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDetails:
    """What is kept of a device beside its record: the history has times in Unix seconds.

    A ``brief`` detail has no interfaces, though its local controller may know some.
    """

    detail: Detail | None = None
    brief: bool = False
    history: Sequence[tuple[float, str, Mapping[str, tuple[str, str]]]] = ()


def stored_details(topology: Topology, state: StateDir, record: DeviceRecord) -> StoredDetails:
    """Return the fullest detail of a device, and its history.

    The store of its local controller has its interfaces; those above have its neighbours alone.
    """
    found: Detail | None = None
    brief = False
    history: list[tuple[float, str, Mapping[str, tuple[str, str]]]] = []
    key = record.local_id, record.device.device_id
    for owner in _owners(topology, record):
        with (
            suppress(MissingStoreError, StateError),
            open_reader(database_of(topology, state, owner)) as store,
        ):
            mine = next((d for d in store.details() if (d.local_id, d.device_id) == key), None)
            if mine is not None and (found is None or (brief and not mine.brief)):
                found, brief = mine.detail, mine.brief
            if not history:
                history = [
                    (item.at, item.change.kind, item.change.fields) for item in store.history(*key)
                ]
            if mine is not None and not mine.brief:
                break
    return StoredDetails(detail=found, brief=brief, history=history)


def _owners(topology: Topology, record: DeviceRecord) -> Iterator[str]:
    if record.local_id in topology.controllers:
        yield record.local_id
    for spec in topology.of_role(Role.REGIONAL):
        if spec.region == record.region:
            yield spec.controller_id
