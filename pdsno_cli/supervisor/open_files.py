"""How many open files a run needs, asked for before anything is started."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.model.errors import OperationError
from pdsno_cli.system.open_files import allow_open_files

if TYPE_CHECKING:
    from pdsno_cli.spec.topology import Topology

LEAST = 64  # of any process: the interpreter's, logs, stores, a few connections
_EACH = 2  # of the supervisor a line to each controller; of a parent, connections to it
_EACH_IN_PROCESS = 4  # store, its log, its index and its lock


def open_files_needed(topology: Topology, *, in_process: bool) -> int:
    """Return how many files the process that opens most of them may have to open."""
    controllers = len(topology.controllers) * (_EACH_IN_PROCESS if in_process else _EACH)
    lab = topology.lab.devices if topology.lab is not None else 0
    return LEAST + (controllers + lab if in_process else max(controllers, lab))


def require_open_files(wanted: int = LEAST) -> None:
    """Raise the limit of this process and its children, or raise OperationError."""
    allowed = allow_open_files(wanted)
    if allowed < wanted:
        raise OperationError(
            f"{wanted} open files are needed and {allowed} are allowed: raise the limit, "
            f"as with ulimit -n {wanted} (LimitNOFILE= in a systemd unit)"
        )
