"""The inventory, and everything that is known of one device, as the page shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pdsno_cli.model.address_numbers import address_order
from pdsno_cli.model.errors import PdsnoError
from pdsno_cli.web.events import events_of_device
from pdsno_cli.web.network import links_of, reference
from pdsno_cli.web.plane import first_store

if TYPE_CHECKING:
    from pdsno_cli.nib.rows import DeviceRecord
    from pdsno_cli.web.network import Mapped, NetworkReader
    from pdsno_cli.web.plane import Plane

MOST_DEVICES = 50_000  # of one answer
_ASK_LIMIT = 8.0  # seconds for a local controller to answer


def devices(plane: Plane) -> dict[str, Any]:
    """Return the devices of the widest inventory on this machine, in the order of their addresses."""
    from pdsno_cli.client.stored_devices import device_document

    owner, records = _inventory(plane)
    records.sort(key=lambda item: address_order(item.device.addresses[0]))
    return {
        "controller": owner,
        "devices": [device_document(item) for item in records[:MOST_DEVICES]],
        "left_out": max(len(records) - MOST_DEVICES, 0),
    }


def device(plane: Plane, network: NetworkReader, wanted: str, local: str | None) -> dict[str, Any]:
    """Return one device as ``pdsno device --json`` does, with its links and events.

    ``local`` is its local controller, where several know one of that name. UsageError if there is none.
    """
    from pdsno_cli.client.stored_details import stored_details
    from pdsno_cli.client.stored_devices import whole_document

    owner, record = _record(plane, wanted, local)
    kept = stored_details(plane.topology(), plane.state, record)
    return {
        "controller": owner,
        **whole_document(record, kept),
        "brief": kept.brief,
        **_surroundings(network, record),
        "events": events_of_device(plane, record),
    }


def asked_device(plane: Plane, wanted: str, local: str | None) -> dict[str, Any]:
    """Return the detail of a device that its local controller has now: as ``pdsno device --ask``."""
    from pdsno_cli.client.detail_request import ask_for_detail
    from pdsno_cli.client.stored_details import StoredDetails
    from pdsno_cli.client.stored_devices import whole_document

    _, record = _record(plane, wanted, local)
    asked = ask_for_detail(
        plane.topology(),
        plane.state,
        record,
        StoredDetails(),
        limit=_ASK_LIMIT,
        on_trouble=plane.on_trouble,
    )
    return {"detail": whole_document(record, asked)["detail"]}


def _inventory(plane: Plane) -> tuple[str, list[DeviceRecord]]:
    from pdsno_cli.client.stored_devices import stored_devices

    topology = plane.topology()
    owner = first_store(topology, plane.state)
    return owner, stored_devices(topology, plane.state, owner)


def _record(plane: Plane, wanted: str, local: str | None) -> tuple[str, DeviceRecord]:
    from pdsno_cli.client.find_device import find_record

    owner, records = _inventory(plane)
    if local is not None:
        records = [item for item in records if item.local_id == local]
    return owner, find_record(records, wanted)


def _surroundings(network: NetworkReader, record: DeviceRecord) -> dict[str, Any]:
    """Return the links of a device, and the known devices behind the MACs that it has learned."""
    try:
        mapped = network.get()
    except PdsnoError as exc:
        return {"links": [], "no_links": str(exc), "stations": {}}
    node = mapped.by_key.get((record.local_id, record.device.device_id))
    if node is None:
        return {"links": [], "no_links": "an inactive device is not on the map", "stations": {}}
    return {
        "links": links_of(mapped, node),
        "no_links": None,
        "stations": _stations(mapped, record),
    }


def _stations(mapped: Mapped, record: DeviceRecord) -> dict[str, dict[str, Any]]:
    node = mapped.by_key[record.local_id, record.device.device_id]
    macs = {
        station.mac
        for item in node.found
        if item.detail is not None
        for station in item.detail.stations or ()
    }
    return {mac: reference(mapped.by_mac[mac]) for mac in sorted(macs) if mac in mapped.by_mac}
