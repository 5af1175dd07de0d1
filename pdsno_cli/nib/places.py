"""From what names a store, a path or a URL, to its database."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import cast

from pdsno_cli.model.errors import StateError, UsageError
from pdsno_cli.model.stores import FACTS
from pdsno_cli.nib.database import Database, DatabaseFactory
from pdsno_cli.nib.sqlite import Sqlite

_SQLITE = "sqlite:///"


def find(place: Path | str | Database, owner: str = "") -> Database:
    """Return the database at a path or URL, ``:memory:`` for an SQLite one that is not kept.

    ``owner`` names the controller among those that share the place. UsageError for a scheme that
    is not registered or a URL that cannot be read, StateError where the driver is not installed.
    """
    if isinstance(place, Database):
        return place
    if place == ":memory:":
        return Sqlite(None)
    if isinstance(place, Path) or "://" not in place:
        return Sqlite(Path(place))
    if place.startswith(_SQLITE):
        return Sqlite(Path(place.removeprefix(_SQLITE)))
    scheme = place.split("://")[0]
    if scheme not in FACTS:
        known = ", ".join(f"{name}://" for name in FACTS)
        raise UsageError(f"nib: {scheme!r} is not a kind of store (known: {known})")
    facts = FACTS[scheme]
    try:
        factory = cast("DatabaseFactory", import_module(facts.module).DATABASE)
    except ModuleNotFoundError as exc:
        raise StateError(
            f"nib: {scheme} needs {exc.name}, which is not installed: {facts.install}"
        ) from exc
    return factory(place, owner)
