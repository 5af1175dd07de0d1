"""``pdsno device``: prints everything that the stores on this machine know of one device."""

from __future__ import annotations

from typing import Annotated

import typer

from pdsno_cli.cli import console
from pdsno_cli.cli.args import FILE, JSON, STATE_DIR, TIMEOUT, seconds
from pdsno_cli.cli.inventory import OF, read_inventory
from pdsno_cli.cli.target import load

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
    from pdsno_cli.cli.device_facts import recorded_facts
    from pdsno_cli.cli.device_view import Change, describe
    from pdsno_cli.client.detail_request import ask_for_detail
    from pdsno_cli.client.find_device import find_record
    from pdsno_cli.client.stored_details import stored_details
    from pdsno_cli.client.stored_devices import whole_document
    from pdsno_cli.discovery.evidence import evidence
    from pdsno_cli.model.ids import timestamp

    topology, state = load(file, state_dir)
    owner, records = read_inventory(topology, state, of)
    record = find_record(records, wanted)
    kept = stored_details(topology, state, record)
    if ask:
        kept = ask_for_detail(
            topology, state, record, kept, limit=seconds(timeout), on_trouble=console.progress
        )
    if as_json:
        members = whole_document(record, kept)
        console.document(FORMAT_VERSION, topology.name, controller=owner, **members)
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
