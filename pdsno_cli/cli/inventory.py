"""Reads the inventory that ``pdsno devices`` and ``pdsno device`` show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from pdsno_cli.cli.args import require_controller
from pdsno_cli.cli.completion import controllers
from pdsno_cli.model.roles import Role

if TYPE_CHECKING:
    from pdsno_cli.nib.rows import DeviceRecord
    from pdsno_cli.runtime.state_dir import StateDir
    from pdsno_cli.spec.topology import Topology

OF = Annotated[
    str | None,
    typer.Option(
        "--of",
        metavar="ID",
        autocompletion=controllers,
        help="Read this controller's inventory (default: the global controller's).",
    ),
]


def read_inventory(
    topology: Topology, state: StateDir, of: str | None
) -> tuple[str, list[DeviceRecord]]:
    """Return a controller's id (``of``, else the global one's) and the devices in its store."""
    from pdsno_cli.client.stored_devices import stored_devices

    owner = of or topology.of_role(Role.GLOBAL)[0].controller_id
    require_controller(topology, owner)
    return owner, stored_devices(topology, state, owner)
