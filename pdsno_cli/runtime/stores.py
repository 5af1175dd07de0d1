"""Where the store of each controller is: in the database that its file names, or a file here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.nib.places import find
from pdsno_cli.spec.secrets import resolve_url

if TYPE_CHECKING:
    from pdsno_cli.nib.database import Database
    from pdsno_cli.runtime.state_dir import StateDir
    from pdsno_cli.spec.topology import Topology


def database_of(topology: Topology, state: StateDir, controller_id: str) -> Database:
    """Return the database of a controller's store; OperationError where its URL cannot be read."""
    nib = topology.controllers[controller_id].nib
    if nib is None:
        return find(state.store(controller_id))
    return find(resolve_url(nib, base=topology.folder), f"{topology.name}/{controller_id}")
