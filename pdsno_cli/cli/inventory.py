"""Reads the inventory that ``pdsno devices`` and ``pdsno device`` show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from pdsno_cli.cli.args import require_controller
from pdsno_cli.cli.completion import controllers
from pdsno_cli.model.errors import UsageError
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
    from pdsno_cli.nib.database import MissingStoreError
    from pdsno_cli.nib.reader import open_reader
    from pdsno_cli.runtime.stores import database_of

    owner = of or topology.of_role(Role.GLOBAL)[0].controller_id
    require_controller(topology, owner)
    try:
        with open_reader(database_of(topology, state, owner)) as store:
            return owner, store.device_records()
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
