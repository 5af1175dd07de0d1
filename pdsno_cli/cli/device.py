"""``pdsno device``: prints everything that the stores on this machine know of one device."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from pdsno_cli.cli import console
from pdsno_cli.cli.args import FILE, JSON, STATE_DIR, TIMEOUT, require_controller, seconds
from pdsno_cli.cli.completion import controllers
from pdsno_cli.cli.target import load

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pdsno_cli.model.details import Detail
    from pdsno_cli.nib.rows import DeviceRecord
    from pdsno_cli.runtime.state_dir import StateDir
    from pdsno_cli.spec.topology import Topology

FORMAT_VERSION = 1
_NAMED = 5  # addresses that an error lists


def device(
    wanted: Annotated[
        str, typer.Argument(metavar="DEVICE", help="An address, a MAC, a name or a device id.")
    ],
    file: FILE = None,
    *,
    of: Annotated[
        str | None,
        typer.Option(
            "--of",
            metavar="ID",
            autocompletion=controllers,
            help="Read this controller's inventory (default: the global controller's).",
        ),
    ] = None,
    as_json: JSON = False,
    wide: Annotated[
        bool, typer.Option("--wide", help="Show every column, and interfaces not in use.")
    ] = False,
    ask: Annotated[
        bool,
        typer.Option("--ask", help="Ask its local controller for the interfaces, over the broker."),
    ] = False,
    timeout: TIMEOUT = "10s",
    state_dir: STATE_DIR = None,
) -> None:
    """Show one device in full.

    What it is, where it was seen and since when, from the stores on this machine.
    """
    import msgspec

    from pdsno_cli.cli.device_facts import recorded_facts
    from pdsno_cli.cli.device_view import Change, describe
    from pdsno_cli.cli.devices import device_document
    from pdsno_cli.client.stored_details import stored_details
    from pdsno_cli.discovery.evidence import evidence
    from pdsno_cli.model.errors import UsageError
    from pdsno_cli.model.ids import timestamp
    from pdsno_cli.model.roles import Role
    from pdsno_cli.nib.database import MissingStoreError
    from pdsno_cli.nib.reader import open_reader
    from pdsno_cli.runtime.stores import database_of

    topology, state = load(file, state_dir)
    owner = of or topology.of_role(Role.GLOBAL)[0].controller_id
    require_controller(topology, owner)
    try:
        with open_reader(database_of(topology, state, owner)) as store:
            records = store.device_records()
    except MissingStoreError as exc:
        raise UsageError(
            f"{topology.name} was never up in {state.root}: no store of {owner}"
        ) from exc
    record = choose(records, wanted)
    kept = stored_details(topology, state, record)
    if ask:
        asked = _ask(topology, state, record, seconds(timeout))
        kept = replace(kept, detail=asked or kept.detail, brief=asked is None and kept.brief)
    if as_json:
        console.document(
            FORMAT_VERSION,
            topology.name,
            controller=owner,
            device=device_document(record),
            evidence=evidence(record.device),
            detail=None if kept.detail is None else msgspec.to_builtins(kept.detail),
            history=[
                {"at": timestamp(at), "kind": kind, "fields": dict(fields)}
                for at, kind, fields in kept.history
            ],
        )
    else:
        console.data(
            describe(
                recorded_facts(record, vendors=True),
                version=record.version,
                detail=kept.detail,
                history=[Change(timestamp(at), kind, fields) for at, kind, fields in kept.history],
                width=None if wide else console.width(),
                evidence=evidence(record.device),
            )
        )
        if kept.brief:
            console.message(f"the interfaces are at {record.local_id}: --ask fetches them")


def _ask(topology: Topology, state: StateDir, record: DeviceRecord, limit: float) -> Detail | None:
    """Return the detail that the device's local controller has now."""
    from pdsno_cli.client.detail_request import request_detail
    from pdsno_cli.client.session import operator_session

    topics = topology.topics
    filters = (topics.discovery("+", record.local_id), topics.events("+"))
    with operator_session(topology, state, filters, console.progress) as operator:
        deadline = time.monotonic() + limit
        found = request_detail(
            operator, record.local_id, record.device.device_id, deadline=deadline
        )
    return None if found is None else found.detail


def choose(records: Sequence[DeviceRecord], wanted: str) -> DeviceRecord:
    """Return the device that ``wanted`` names; raises UsageError for none, or for several.

    An inactive device gives way to an active one of the same address or name.
    """
    from pdsno_cli.model.errors import UsageError
    from pdsno_cli.model.names import did_you_mean

    found = _found(records, wanted)
    active = [item for item in found if item.active]
    found = active or found
    if len(found) == 1:
        return found[0]
    if found:
        named = [f"{item.device.addresses[0]} ({item.local_id})" for item in found[:_NAMED]]
        more = ", …" if len(found) > _NAMED else ""
        raise UsageError(
            f"{len(found)} devices are {wanted!r}: {', '.join(named)}{more}; name another of their "
            "addresses, the device id, or a local controller with --of"
        )
    known = [item.device.sys_name for item in records if item.device.sys_name]
    known += [address for item in records for address in item.device.addresses]
    hint = did_you_mean(wanted, known)
    raise UsageError(f"no device {wanted!r}: {hint or 'pdsno devices --all shows them'}")


def _found(records: Sequence[DeviceRecord], wanted: str) -> list[DeviceRecord]:
    """Return the devices of an address, a MAC or an id, else those of a name, without its domain at last."""
    from pdsno_cli.discovery.mac import normalise_mac

    mac, name = normalise_mac(wanted), wanted.casefold()
    exact = [
        item
        for item in records
        if wanted in item.device.addresses
        or wanted == item.device.device_id
        or (mac is not None and mac == item.device.mac)
    ]
    if exact:
        return exact
    names = [(item, (item.device.sys_name or "").casefold()) for item in records]
    return [item for item, own in names if own == name] or [
        item for item, own in names if own and own.partition(".")[0] == name
    ]
