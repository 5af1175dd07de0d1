"""Reads the record of events in the global controller's store, and goes on with new ones."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import msgspec

from pdsno_cli.model.errors import StoreUnavailableError
from pdsno_cli.model.ids import timestamp
from pdsno_cli.nib.reader import open_reader

if TYPE_CHECKING:
    from pdsno_cli.model.messages import Event
    from pdsno_cli.nib.database import Database
    from pdsno_cli.nib.queries import Queries
    from pdsno_cli.nib.rows import EventRecord

_NUMBERS = ("epoch", "connection")  # for machines


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """Which events are wanted: of these kinds, of these regions, since a time; empty is all."""

    kinds: frozenset[str] = frozenset()
    regions: frozenset[str] = frozenset()
    since: float = 0.0  # Unix seconds

    def accepts(self, item: EventRecord) -> bool:
        """Return True if an event is of a wanted kind and region."""
        return (not self.kinds or item.event.event in self.kinds) and (
            not self.regions or item.event.region in self.regions
        )


class EventReader:
    """Returns each wanted event once; raises MissingStoreError where there is no store."""

    def __init__(self, database: Database, wanted: EventFilter) -> None:
        self._database = database
        self._wanted = wanted
        self._store: Queries | None = open_reader(database)
        self._after = 0
        self.kinds: set[str] = set()  # all that it has read, wanted or not

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._store is not None:
            self._store.close()

    def read(self) -> list[EventRecord]:
        """Return the events since the last call, the oldest first.

        StoreUnavailableError while its server is away; the next call connects again.
        """
        try:
            if self._store is None:
                self._store = open_reader(self._database)
            found = self._store.events(None, since=self._wanted.since, after=self._after)
        except StoreUnavailableError:
            store, self._store = self._store, None
            if store is not None:
                with suppress(Exception):  # the connection is broken already
                    store.close()
            raise
        if found:
            self._after = found[-1].id
        self.kinds.update(item.event.event for item in found)
        return [item for item in found if self._wanted.accepts(item)]


def event_document(item: EventRecord) -> dict[str, Any]:
    """Return an event as ``pdsno events --json`` prints it."""
    event: dict[str, Any] = msgspec.to_builtins(item.event)
    return {"time": timestamp(item.at), "sender": item.sender, **event}


def event_why(event: Event) -> str:
    """Return the detail of an event in one line for people."""
    return ", ".join(
        f"{key} {', '.join(value) if isinstance(value, list) else value}"
        for key, value in event.detail.items()
        if key not in _NUMBERS
    )
