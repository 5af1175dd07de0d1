"""Looks into a store that another process writes."""

from __future__ import annotations

from pathlib import Path

from pdsno_cli.model.errors import StateError
from pdsno_cli.nib.database import Database, MissingStoreError
from pdsno_cli.nib.places import find
from pdsno_cli.nib.queries import Queries
from pdsno_cli.nib.schema import VERSION


def open_reader(place: Path | str | Database) -> Queries:
    """Return the questions that a store answers; nothing is written to it.

    MissingStoreError when there is none yet, StateError when it cannot be read.
    """
    database = find(place)
    questions = Queries(database.connect(read_only=True), database)
    try:
        _check(questions.version(), database.name)
    except BaseException:
        questions.close()
        raise
    return questions


def _check(version: int, name: str) -> None:
    if version == 0:
        raise MissingStoreError(f"{name} is still empty")
    if version != VERSION:
        later = "; its controller brings it up to date when it starts" if version < VERSION else ""
        raise StateError(
            f"{name} is a store of version {version}, this pdsno reads {VERSION}{later}"
        )
