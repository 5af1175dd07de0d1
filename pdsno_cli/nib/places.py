"""From what names a store, a path or a URL, to its database."""

from __future__ import annotations

from pathlib import Path

from pdsno_cli.model.errors import UsageError
from pdsno_cli.nib.database import Database
from pdsno_cli.nib.sqlite import Sqlite

_SQLITE = "sqlite:///"


def find(place: Path | str | Database) -> Database:
    """Return the database at a path or ``sqlite:///`` URL, ``:memory:`` for one that is not kept."""
    if isinstance(place, Database):
        return place
    if place == ":memory:":
        return Sqlite(None)
    if isinstance(place, Path) or "://" not in place:
        return Sqlite(Path(place))
    if place.startswith(_SQLITE):
        return Sqlite(Path(place.removeprefix(_SQLITE)))
    raise UsageError(f"nib {place!r}: only sqlite:/// URLs and paths are supported")
