"""Compares a topology file with what runs, and has the running topology apply it.

The file is read here, with the environment of this command; see ``spec.resolved``.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

from pdsno_cli.model.errors import UsageError
from pdsno_cli.runtime.run_record import read_record
from pdsno_cli.spec.resolved import encode, normal, resolve_secrets, variables
from pdsno_cli.supervisor.control import ask, ask_for_long
from pdsno_cli.supervisor.plan import make_plan
from pdsno_cli.supervisor.plan_report import plan_report

if TYPE_CHECKING:
    from collections.abc import Callable

    from pdsno_cli.runtime.state_dir import StateDir
    from pdsno_cli.spec.topology import Topology


_SLACK = 120.0  # seconds beyond ``wait`` in which what ran before may come back


class Running(NamedTuple):
    """What runs in a state directory: its name, its file, and if it is one process."""

    topology: str
    file: str
    in_process: bool


def running(state: StateDir) -> Running | None:
    """Return what runs in a state directory; None where no supervisor answers."""
    try:
        return Running(**ask(state.control, {"op": "running"}))
    except UsageError:
        return None


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


def apply(
    topology: Topology,
    state: StateDir,
    progress: Callable[[str], None],
    *,
    check: str | None = None,
    wait: float,
    revert: bool = True,
) -> dict[str, Any]:
    """Have what runs become a topology; return the plan once all that changed is healthy.

    OperationError if it is not healthy within ``wait`` seconds: what ran before runs again then,
    unless ``revert`` is False. The change goes on if this process ends.
    """
    order = request("apply", topology, check=check, wait=wait, revert=revert)
    answer = ask_for_long(state.control, order, progress, timeout=2 * wait + _SLACK)
    plan: dict[str, Any] = answer["plan"]
    return plan
