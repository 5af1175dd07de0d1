"""Which running topology a command is about: its file and its state directory."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pdsno_cli.model.errors import UsageError

if TYPE_CHECKING:
    from pdsno_cli.runtime.state_dir import StateDir
    from pdsno_cli.spec.topology import Topology

STATE_DIR = Annotated[
    Path | None,
    typer.Option("--state-dir", help="State directory (default: $XDG_STATE_HOME/pdsno/NAME)."),
]
JSON = Annotated[bool, typer.Option("--json", help="Print JSON.")]

TIMEOUT = Annotated[
    str, typer.Option("--timeout", metavar="DURATION", help="How long to wait, as in 30s or 2m.")
]


def seconds(text: str) -> float:
    """Return the seconds of a duration on the command line; UsageError when it is none."""
    from pdsno_cli.model.durations import parse_duration

    try:
        return parse_duration(text)
    except ValueError as exc:
        raise UsageError(str(exc)) from exc


def running(file: Path | None, state_dir: Path | None) -> tuple[Topology, StateDir]:
    """Return the topology that a command means, and its state directory.

    Without FILE the same files are looked for as by ``pdsno topics``; UsageError when that leaves
    none, or more than one.
    """
    from pdsno_cli.cli.which import topology_files
    from pdsno_cli.lint.engine import require
    from pdsno_cli.runtime.state_dir import StateDir, default_root
    from pdsno_cli.supervisor.open_files import require_open_files

    require_open_files()
    files = topology_files(file)
    if len(files) != 1:
        found = ", ".join(str(item) for item in files) or "none found"
        raise UsageError(f"which topology? Name its FILE, or set PDSNO_TOPOLOGY ({found})")
    topology = require(str(files[0]))
    return topology, StateDir((state_dir or default_root(topology.name)).absolute())
