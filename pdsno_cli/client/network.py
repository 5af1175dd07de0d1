"""Reads the devices of a network, with their details, from the stores on this machine."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from pdsno_cli.discovery.physical.nodes import Found
from pdsno_cli.model.errors import UsageError
from pdsno_cli.model.roles import Role
from pdsno_cli.nib.database import MissingStoreError
from pdsno_cli.nib.reader import open_reader
from pdsno_cli.runtime.stores import database_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pdsno_cli.model.details import Detail
    from pdsno_cli.runtime.state_dir import StateDir
    from pdsno_cli.spec.topology import Controller, Topology

Key = tuple[str, str]  # local controller and device


def read_network(
    topology: Topology, state: StateDir, regions: Iterable[str] | None = None
) -> list[Found]:
    """Return the present devices of regions (None: of all), in the order of the stores.

    Devices and links are those that regional controllers know. Interfaces come from the stores of
    local controllers, where those are on this machine. UsageError if there is no store of any regional
    controller here.
    """
    wanted = topology.regions.keys() if regions is None else set(regions)
    found: list[Found] = []
    stores = 0
    for spec in topology.of_role(Role.REGIONAL):
        if spec.region is None or spec.region not in wanted:
            continue
        with (
            suppress(MissingStoreError),
            open_reader(database_of(topology, state, spec.controller_id)) as store,
        ):
            stores += 1
            details = {(item.local_id, item.device_id): item.detail for item in store.details()}
            found += [
                Found(
                    local_id=item.local_id,
                    region=spec.region,
                    device=item.device,
                    detail=details.get((item.local_id, item.device.device_id)),
                )
                for item in store.devices(active=True)
            ]
    if not stores:
        raise UsageError(
            f"no store of a regional controller in {state.root}: start {topology.name} with "
            "pdsno up, or name another --state-dir"
        )
    whole = _whole_details(topology, state, {item.local_id for item in found})
    return [_with_interfaces(item, whole.get(item.key)) for item in found]


def _whole_details(
    topology: Topology, state: StateDir, local_ids: Iterable[str]
) -> dict[Key, tuple[str, Detail]]:
    """Return the details that local controllers on this machine have, with their digests."""
    found: dict[Key, tuple[str, Detail]] = {}
    for spec in _controllers(topology, local_ids):
        with (
            suppress(MissingStoreError),
            open_reader(database_of(topology, state, spec.controller_id)) as store,
        ):
            for item in store.details():
                found[item.local_id, item.device_id] = item.digest, item.detail
    return found


def _controllers(topology: Topology, ids: Iterable[str]) -> list[Controller]:
    return [topology.controllers[name] for name in sorted(ids) if name in topology.controllers]


def _with_interfaces(item: Found, whole: tuple[str, Detail] | None) -> Found:
    if whole is None or (item.device.extra or {}).get("detail") != whole[0]:
        return item
    return Found(local_id=item.local_id, region=item.region, device=item.device, detail=whole[1])
