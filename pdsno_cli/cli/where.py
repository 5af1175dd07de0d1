"""``pdsno where``: prints the switch and the port that a device or a MAC is plugged into."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from pdsno_cli.cli import console
from pdsno_cli.cli.args import FILE, JSON, STATE_DIR, require_region
from pdsno_cli.cli.table import fitted
from pdsno_cli.cli.target import load

if TYPE_CHECKING:
    from pdsno_cli.discovery.physical.places import Place

_HEAD = ("switch", "address", "port", "vlan", "own port", "evidence")
_DROP = ("own port", "vlan", "address", "evidence")
FORMAT_VERSION = 1
EXIT_UNKNOWN = 1


def where(
    wanted: Annotated[
        str, typer.Argument(metavar="DEVICE", help="An address, a MAC, a name or a device id.")
    ],
    file: FILE = None,
    *,
    region: Annotated[
        list[str] | None,
        typer.Option("--region", metavar="NAME", help="Look in these regions only; repeatable."),
    ] = None,
    as_json: JSON = False,
    state_dir: STATE_DIR = None,
) -> None:
    """Show the switch and the port that a device is plugged into.

    It is known from LLDP, CDP and forwarding tables, in the stores on this machine. The exit code is
    1 if no port is known.
    """
    from pdsno_cli.client.find_device import find_node
    from pdsno_cli.client.network import read_network
    from pdsno_cli.discovery.mac import normalise_mac
    from pdsno_cli.discovery.physical.links import physical_map
    from pdsno_cli.discovery.physical.places import places_of_mac, places_of_node, why_unknown

    topology, state = load(file, state_dir)
    for name in region or ():
        require_region(topology, name)
    map_ = physical_map(read_network(topology, state, region or None))
    node, mac = find_node(map_, wanted), normalise_mac(wanted)
    places = places_of_node(map_, node) if node is not None else []
    macs = [mac] if mac is not None else list(node.macs if node is not None else ())
    if not places:
        places = [place for one in macs for place in places_of_mac(map_, one)]
    name = node.name if node is not None else wanted
    if as_json:
        console.document(
            FORMAT_VERSION,
            topology.name,
            device=name,
            addresses=list(node.addresses) if node is not None else [],
            macs=macs,
            places=[_json(place) for place in places],
        )
    elif places:
        rows = [_cells(place) for place in places]
        console.data(fitted(_HEAD, rows, width=console.width(), drop=_DROP))
    if not places:
        if not as_json:
            console.message(f"no port of {name} is known: {why_unknown(map_, macs)}")
        raise typer.Exit(EXIT_UNKNOWN)


def _cells(place: Place) -> tuple[str, ...]:
    return (
        place.switch.name,
        place.switch.addresses[0] if place.switch.addresses else "",
        place.port,
        "" if place.vlan is None else str(place.vlan),
        place.own_port,
        "; ".join(place.evidence),
    )


def _json(place: Place) -> dict[str, Any]:
    return {
        "switch": place.switch.name,
        "addresses": list(place.switch.addresses),
        "port": place.port,
        "own_port": place.own_port,
        "vlan": place.vlan,
        "direct": place.direct,
        "evidence": list(place.evidence),
    }
