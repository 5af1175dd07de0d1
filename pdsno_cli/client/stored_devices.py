"""Reads the inventory of one controller from its store, and gives its devices as documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pdsno_cli.model.errors import UsageError
from pdsno_cli.nib.database import MissingStoreError
from pdsno_cli.nib.reader import open_reader
from pdsno_cli.runtime.stores import database_of

if TYPE_CHECKING:
    from pdsno_cli.client.stored_details import StoredDetails
    from pdsno_cli.nib.rows import DeviceRecord
    from pdsno_cli.runtime.state_dir import StateDir
    from pdsno_cli.spec.topology import Topology


def stored_devices(topology: Topology, state: StateDir, owner: str) -> list[DeviceRecord]:
    """Return the devices in the store of a controller; UsageError if it is not on this machine."""
    try:
        with open_reader(database_of(topology, state, owner)) as store:
            return store.device_records()
    except MissingStoreError as exc:
        here = [name for name in topology.controllers if state.store(name).exists()]
        if here:
            raise UsageError(
                f"no store of {owner} in {state.root}; read another with --of: {', '.join(here[:3])}"
            ) from exc
        raise UsageError(
            f"{topology.name} was never up in {state.root}: start it with pdsno up, or name "
            "another --state-dir"
        ) from exc


def device_document(record: DeviceRecord) -> dict[str, Any]:
    """Return a device as ``pdsno devices --json`` prints it."""
    import msgspec

    from pdsno_cli.discovery.oui import mac_vendor
    from pdsno_cli.model.ids import timestamp

    device: dict[str, Any] = msgspec.to_builtins(record.device)
    return device | {
        "mac_vendor": mac_vendor(record.device.mac),
        "local_id": record.local_id,
        "region": record.region,
        "state": "active" if record.active else "inactive",
        "version": record.version,
        "first_seen": timestamp(record.first_seen),
        "last_seen": timestamp(record.last_seen),
    }


def whole_document(record: DeviceRecord, kept: StoredDetails) -> dict[str, Any]:
    """Return the members of ``pdsno device --json``: a device with its detail and its history."""
    import msgspec

    from pdsno_cli.discovery.evidence import evidence
    from pdsno_cli.model.ids import timestamp

    return {
        "device": device_document(record),
        "evidence": evidence(record.device),
        "detail": None if kept.detail is None else msgspec.to_builtins(kept.detail),
        "history": [
            {"at": timestamp(at), "kind": kind, "fields": dict(fields)}
            for at, kind, fields in kept.history
        ],
    }
