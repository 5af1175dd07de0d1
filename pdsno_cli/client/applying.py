"""Compares a topology file with what runs, and has the running topology apply it.

The file is read here, with the environment of this command; see ``spec.resolved``.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from pdsno_cli.model.errors import UsageError
from pdsno_cli.runtime.run_record import read_record
from pdsno_cli.spec.resolved import encode, normal, resolve_secrets, variables
from pdsno_cli.supervisor.control import ask
from pdsno_cli.supervisor.plan import make_plan
from pdsno_cli.supervisor.plan_report import plan_report

if TYPE_CHECKING:
    from pdsno_cli.runtime.state_dir import StateDir
    from pdsno_cli.spec.topology import Topology


def runs(state: StateDir) -> bool:
    """Return True if a supervisor answers in this state directory."""
    try:
        ask(state.control, {"op": "ping"})
    except UsageError:
        return False
    return True


def request(op: str, topology: Topology, **members: Any) -> dict[str, Any]:
    """Return a request about a topology: all that a running one needs to know of the file."""
    return {
        "op": op,
        "topology": encode(normal(topology)).decode(),
        "environment": variables(topology, os.environ),
        **members,
    }


def find_plan(topology: Topology, state: StateDir) -> dict[str, Any]:
    """Return the plan from what runs to a topology; where nothing runs, everything is added."""
    try:
        return ask(state.control, request("plan", topology))
    except UsageError:
        record = read_record(state)
        salt = b"" if record is None else bytes.fromhex(record.salt)
        return plan_report(make_plan(None, resolve_secrets(normal(topology), salt)))
