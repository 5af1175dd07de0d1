"""Opens a store for reading while another process may write it."""

from __future__ import annotations

from pathlib import Path

from pdsno_cli.model.errors import StateError
from pdsno_cli.nib.database import Database, MissingStoreError
from pdsno_cli.nib.places import find
from pdsno_cli.nib.queries import Queries
from pdsno_cli.nib.schema import VERSION


def open_reader(place: Path | str | Database) -> Queries:
    """Return read-only access to a store.

    MissingStoreError if there is none yet, StateError if it cannot be read.
    """
    database = find(place)
    queries = Queries(database.connect(read_only=True), database)
    try:
        _check(queries.version(), database.name)
    except BaseException:
        queries.close()
        raise
    return queries


def _check(version: int, name: str) -> None:
    if version == 0:
        raise MissingStoreError(f"{name} is empty")
    if version != VERSION:
        later = "; its controller upgrades it when it starts" if version < VERSION else ""
        raise StateError(
            f"{name} is a store of version {version}, this pdsno reads {VERSION}{later}"
        )
