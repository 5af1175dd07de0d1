"""The open files that a run needs, checked before anything is started."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.model.errors import OperationError
from pdsno_cli.system.open_files import allow_open_files

if TYPE_CHECKING:
    from pdsno_cli.spec.topology import Topology

LEAST = 64  # of any process: interpreter, logs, stores, a few connections
_EACH = 2  # per controller: the supervisor's socket to it, a parent's connections to it
_EACH_IN_PROCESS = 4  # per controller: store, WAL, shared memory and lock


def open_files_needed(topology: Topology, *, in_process: bool) -> int:
    """Return the open files of the process that needs most."""
    controllers = len(topology.controllers) * (_EACH_IN_PROCESS if in_process else _EACH)
    lab = topology.lab.devices if topology.lab is not None else 0
    return LEAST + (controllers + lab if in_process else max(controllers, lab))


def require_open_files(wanted: int = LEAST) -> None:
    """Raise the limit of this process and its children; OperationError if it cannot be raised."""
    allowed = allow_open_files(wanted)
    if allowed < wanted:
        raise OperationError(
            f"{wanted} open files are needed and {allowed} are allowed: raise the limit, "
            f"as with ulimit -n {wanted} (LimitNOFILE= in a systemd unit)"
        )
