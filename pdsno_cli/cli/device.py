"""``pdsno device``: prints everything that the stores on this machine know of one device."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from pdsno_cli.cli import console
from pdsno_cli.cli.args import FILE, JSON, STATE_DIR, TIMEOUT, seconds
from pdsno_cli.cli.inventory import OF, read_inventory
from pdsno_cli.cli.target import load

if TYPE_CHECKING:
    from pdsno_cli.model.details import Detail
    from pdsno_cli.nib.rows import DeviceRecord
    from pdsno_cli.runtime.state_dir import StateDir
    from pdsno_cli.spec.topology import Topology

FORMAT_VERSION = 1


def device(
    wanted: Annotated[
        str, typer.Argument(metavar="DEVICE", help="An address, a MAC, a name or a device id.")
    ],
    file: FILE = None,
    *,
    of: OF = None,
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
    from pdsno_cli.client.find_device import find_record
    from pdsno_cli.client.stored_details import stored_details
    from pdsno_cli.discovery.evidence import evidence
    from pdsno_cli.model.ids import timestamp

    topology, state = load(file, state_dir)
    owner, records = read_inventory(topology, state, of)
    record = find_record(records, wanted)
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
