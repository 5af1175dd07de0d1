"""``pdsno devices``: prints the inventory of a controller, also in the formats of other tools."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from pdsno_cli.cli import console
from pdsno_cli.cli.args import FILE, JSON, STATE_DIR, WIDE, choose_format
from pdsno_cli.cli.completion import values
from pdsno_cli.cli.inventory import OF, read_inventory
from pdsno_cli.cli.table import fitted, plural
from pdsno_cli.cli.target import load

if TYPE_CHECKING:
    from pdsno_cli.nib.rows import DeviceRecord

_HEAD = (
    "address", "mac", "mac vendor", "name", "vendor", "type", "region", "controller", "protocols", "state", "seen",
)  # fmt: skip
# Columns that a narrow terminal lacks, those first that are missed least.
_DROP = ("mac vendor", "seen", "protocols", "region", "mac", "vendor", "type", "state", "name")
_DROP_ACTIVE = ("state", *_DROP)  # where every device is active
FORMAT_VERSION = 1
_FORMATS = ("table", "wide", "json", "csv", "ansible", "prometheus", "netbox")


def devices(
    file: FILE = None,
    *,
    as_json: JSON = False,
    everything: Annotated[bool, typer.Option("--all", help="Include inactive devices.")] = False,
    of: OF = None,
    where: Annotated[
        list[str] | None,
        typer.Option(
            "--where",
            metavar="FIELD=VALUE",
            help="Only these, as in vendor=Cisco,type!=printer or name~^sw-; may be repeated.",
        ),
    ] = None,
    format_: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="NAME",
            autocompletion=values(_FORMATS),
            help=f"One of: {', '.join(_FORMATS)}.",
        ),
    ] = "table",
    wide: WIDE = False,
    state_dir: STATE_DIR = None,
) -> None:
    """Show the devices of the network.

    Reads the store of the global controller, or of another (--of), on this machine.
    """
    from pdsno_cli.cli.device_facts import conditions, matches, recorded_facts
    from pdsno_cli.model.address_numbers import address_order

    form = choose_format(format_, _FORMATS, as_json=as_json)
    wide = wide or form == "wide"
    wanted = conditions(where or ())
    topology, state = load(file, state_dir)
    owner, found = read_inventory(topology, state, of)
    records = [item for item in found if item.active or everything]
    records.sort(key=lambda item: address_order(item.device.addresses[0]))
    vendors = form == "csv" or any(item.field == "mac_vendor" for item in wanted)
    if wanted:
        known = len(records)
        records = [r for r in records if matches(recorded_facts(r, vendors=vendors), wanted)]
        if not records:
            console.progress(f"none of {plural(known, 'device')} matches --where")
    if form == "json":
        from pdsno_cli.client.stored_devices import device_document

        rows = [device_document(item) for item in records]
        console.document(FORMAT_VERSION, topology.name, controller=owner, devices=rows)
    elif form in {"table", "wide"}:
        rows_ = [_cells(item, wide=wide) for item in records]
        width = None if wide else console.width()
        console.data(fitted(_HEAD, rows_, width=width, drop=_DROP if everything else _DROP_ACTIVE))
    else:
        from pdsno_cli.cli.device_formats import FORMATS
        from pdsno_cli.cli.device_formats.context import Context

        facts = [recorded_facts(item, vendors=vendors) for item in records]
        console.data(FORMATS[form](facts, Context.of(topology)))


def _cells(record: DeviceRecord, *, wide: bool) -> tuple[str, ...]:
    from pdsno_cli.discovery.oui import mac_vendor
    from pdsno_cli.model.ids import timestamp

    device = record.device
    extra = device.extra or {}
    more = f" +{len(device.addresses) - 1}" if len(device.addresses) > 1 else ""
    return (
        device.addresses[0] + more,
        device.mac or "",
        (mac_vendor(device.mac) or "") if wide else "",
        device.sys_name or "",
        extra.get("vendor", ""),
        extra.get("type", ""),
        record.region,
        record.local_id,
        ",".join(device.protocols),
        "active" if record.active else "inactive",
        timestamp(record.last_seen),
    )
