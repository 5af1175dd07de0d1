"""Looks into a store that another process writes."""

from __future__ import annotations

from pathlib import Path

from pdsno_cli.model.errors import StateError
from pdsno_cli.nib.engine import MissingStoreError, connect
from pdsno_cli.nib.queries import Queries
from pdsno_cli.nib.schema import VERSION


def open_reader(path: Path) -> Queries:
    """Return the questions that a store answers; nothing is written to it.

    MissingStoreError when there is none yet, StateError when it cannot be read.
    """
    questions = Queries(connect(path, read_only=True), path)
    try:
        _check(questions.version(), path)
    except BaseException:
        questions.close()
        raise
    return questions


def _check(version: int, path: Path) -> None:
    if version == 0:
        raise MissingStoreError(f"{path} is still empty")
    if version != VERSION:
        later = "; its controller brings it up to date when it starts" if version < VERSION else ""
        raise StateError(
            f"{path} is a store of version {version}, this pdsno reads {VERSION}{later}"
        )
