"""The record of events, as the page follows it, and the events of one device."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pdsno_cli.model.errors import UsageError
from pdsno_cli.model.roles import Role

if TYPE_CHECKING:
    from pdsno_cli.nib.queries import Queries
    from pdsno_cli.nib.rows import DeviceRecord, EventRecord
    from pdsno_cli.web.plane import Plane

MOST_EVENTS = 500  # of one answer
_LOOKED_AT = 2_000  # the last events, among which those of a device are looked for
_OF_DEVICE = 30


def events(plane: Plane, after: int) -> dict[str, Any]:
    """Return the last events after a number, the oldest first, and the number of the last one.

    ``reset`` is true where the store has fewer than ``after``: it is another one, and these are its last.
    """
    with _store(plane) as store:
        found = store.events(MOST_EVENTS, after=after)
        last = found[-1].id if found else max((item.id for item in store.events(1)), default=0)
        reset = last < after
        if reset:
            found = store.events(MOST_EVENTS)
    return {"events": [_document(item) for item in found], "last": last, "reset": reset}


def events_of_device(plane: Plane, record: DeviceRecord) -> list[dict[str, Any]]:
    """Return the last events about a device, the newest first; none where their record is not here."""
    try:
        with _store(plane) as store:
            found = store.events(_LOOKED_AT)
    except UsageError:
        return []
    mine = [item for item in found if _is_about(item, record)]
    return [_document(item) for item in reversed(mine[-_OF_DEVICE:])]


def _is_about(item: EventRecord, record: DeviceRecord) -> bool:
    """Return True if an event is about a device: by its id and local controller, or by its MAC."""
    detail, device = item.event.detail, record.device
    if item.event.subject == device.device_id:
        return detail.get("controller", record.local_id) == record.local_id
    return device.mac is not None and item.event.subject in (device.mac, f"mac:{device.mac}")


def _store(plane: Plane) -> Queries:
    """Return the store of the global controller; UsageError if it is not on this machine."""
    from pdsno_cli.nib.database import MissingStoreError
    from pdsno_cli.nib.reader import open_reader
    from pdsno_cli.runtime.stores import database_of

    topology = plane.topology()
    owner = topology.of_role(Role.GLOBAL)[0].controller_id
    try:
        return open_reader(database_of(topology, plane.state, owner))
    except MissingStoreError as exc:
        raise UsageError(
            f"no store of {owner}, which records the events, in {plane.state.root}"
        ) from exc


def _document(item: EventRecord) -> dict[str, Any]:
    from pdsno_cli.client.events import event_document, event_why

    return {"id": item.id, **event_document(item), "why": event_why(item.event)}
