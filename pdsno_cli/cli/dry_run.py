"""``pdsno up --dry-run``: shows what would start, and what a start would not find here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.cli import console
from pdsno_cli.cli.table import plural
from pdsno_cli.model.roles import Role

if TYPE_CHECKING:
    from pdsno_cli.runtime.state_dir import StateDir
    from pdsno_cli.spec.topology import Topology


def dry_run(topology: Topology, state: StateDir, *, in_process: bool) -> None:
    """Print one line for each part of a run; what is missing here is a warning, not a failure.

    A valid file may be checked on a machine that has neither its secrets nor its certificates.
    """
    broker = topology.broker
    if in_process:
        where = "none: the bus of one process"
    elif broker.embedded:
        where = f"embedded, 127.0.0.1:{broker.port or '(a free port)'}"
    else:
        where = ", ".join(map(str, broker.addresses)) + (" with TLS" if broker.tls else "")
    lines = [f"topology     {topology.name}", f"broker       {where}"]
    if topology.lab is not None:
        lines.append(f"lab          {plural(topology.lab.devices, 'device')}")
    for role in Role:
        found = topology.of_role(role)
        names = ", ".join(item.controller_id for item in found[:3])
        more = f", … {found[-1].controller_id}" if len(found) > 3 else ""
        lines.append(f"{role.value:<12} {len(found)}" + (f": {names}{more}" if found else ""))
    lines.append(f"state        {state.root}")
    console.data("\n".join(lines))
    warn_of_missing(topology)
    console.progress("nothing was started")


def warn_of_missing(topology: Topology) -> None:
    """Print a warning for each secret or file that a start would not find on this machine."""
    from pdsno_cli.supervisor.preflight import missing_inputs

    for sentence in missing_inputs(topology):
        console.progress(f"warning: {sentence}")
