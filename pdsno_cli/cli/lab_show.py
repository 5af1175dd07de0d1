"""``pdsno lab show``: the devices that a topology's lab is planned to have, and their cables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pdsno_cli.cli import console
from pdsno_cli.cli.table import fitted

if TYPE_CHECKING:
    from pdsno_cli.lab.layout import Cables
    from pdsno_cli.lab.plan import LabDevice
    from pdsno_cli.spec.topology import Topology

FORMAT_VERSION = 1
_HEAD = ("address", "mac", "name", "plays", "answers", "plugged into", "port")
_DROP = ("mac", "answers", "plays", "port")


def show(topology: Topology, *, as_json: bool, wide: bool) -> None:
    """Print the devices of a lab, in the order of their addresses in the file."""
    from pdsno_cli.lab.layout import lay
    from pdsno_cli.runtime.lab import laid_out_devices

    devices = laid_out_devices(topology)
    cables = lay(devices)
    arp = topology.lab is not None and topology.lab.mode == "namespace"
    rows = [_row(item, cables, arp=arp) for item in devices]
    if as_json:
        console.document(FORMAT_VERSION, topology.name, devices=rows)
    else:
        cells = [
            (
                row["address"],
                row["mac"],
                row["name"],
                row["recording"] or "",
                ",".join(row["protocols"]),
                row["uplink"]["device"] if row["uplink"] else "",
                row["uplink"]["port"] if row["uplink"] else "",
            )
            for row in rows
        ]
        console.data(fitted(_HEAD, cells, width=None if wide else console.width(), drop=_DROP))


def _row(device: LabDevice, cables: Cables, *, arp: bool) -> dict[str, Any]:
    up = next((item for item in cables.get(device.address, ()) if not item.down), None)
    answers = {"arp": arp, "icmp": device.icmp, "snmp": device.snmp}
    return {
        "address": device.address,
        "mac": device.mac,
        "name": device.sys_name,
        "recording": device.recording or Path(device.file).name or None,
        "protocols": [name for name, does in answers.items() if does],
        "uplink": None
        if up is None
        else {
            "device": up.peer.sys_name,
            "address": up.peer.address,
            "port": port_name(up.peer, up.peer_port),
            "own_port": port_name(device, up.port),
        },
    }


def port_name(device: LabDevice, port: int) -> str | None:
    """Return the name of a port; None for a device without an agent, which names none."""
    from pdsno_cli.lab.layout import chassis_of

    frame = chassis_of(device)
    return None if frame is None else frame.ports[port - 1].name
