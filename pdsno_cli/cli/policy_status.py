"""``pdsno policy status``: prints the policy versions that controllers have applied."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import typer

from pdsno_cli.cli import console
from pdsno_cli.cli.args import FILE, JSON, STATE_DIR, WIDE
from pdsno_cli.cli.table import fitted
from pdsno_cli.cli.target import load

if TYPE_CHECKING:
    from pdsno_cli.client.policy_status import PolicyStatus
    from pdsno_cli.runtime.state_dir import StateDir
    from pdsno_cli.spec.topology import Topology

FORMAT_VERSION = 1
_HEAD = ("controller", "scope", "running", "wanted", "since")


def status(
    file: FILE = None,
    as_json: JSON = False,
    wide: WIDE = False,
    state_dir: STATE_DIR = None,
) -> None:
    """Show applied and wanted policy versions.

    Reads the stores on this machine; the topology may be up or down. Without any it shows what a
    declared broker tells.
    """
    from pdsno_cli.client.policy_status import policy_statuses
    from pdsno_cli.model.errors import UsageError

    topology, state = load(file, state_dir)
    found = policy_statuses(topology, state)
    if all(item.version is None for item in found):
        if not topology.broker.embedded:
            _show_heard(topology, state, as_json=as_json, width=None if wide else console.width())
            return
        raise UsageError(f"{topology.name} was never up in {state.root}: it has no policies")
    if as_json:
        rows = [_json(item) for item in found]
        console.document(FORMAT_VERSION, topology.name, controllers=rows)
    else:
        cells = [_cells(item) for item in found]
        width = None if wide else console.width()
        console.data(fitted(_HEAD, cells, width=width, drop=("since", "scope")))


def _show_heard(topology: Topology, state: StateDir, *, as_json: bool, width: int | None) -> None:
    """Show the published versions; raises typer.Exit unless every controller is alive."""
    from pdsno_cli.cli.heard_view import policy_rows, policy_text
    from pdsno_cli.client.heard import listen
    from pdsno_cli.client.heard_report import members

    heard = listen(topology, state, ("policy", "events"), console.progress)
    if as_json:
        rows = [row | {"since": None} for row in policy_rows(heard)]
        console.document(FORMAT_VERSION, topology.name, **members(heard), controllers=rows)
    else:
        console.data(policy_text(heard, width=width))
    if not heard.well:
        raise typer.Exit(1)


def _since(item: PolicyStatus) -> str | None:
    from pdsno_cli.model.ids import timestamp

    return None if item.since is None else timestamp(item.since)


def _json(item: PolicyStatus) -> dict[str, Any]:
    return asdict(item) | {"since": _since(item)}


def _cells(item: PolicyStatus) -> tuple[str, ...]:
    running = "unknown" if item.version is None else str(item.version)
    wanted = "" if item.wanted is None else str(item.wanted)
    return (item.controller_id, item.scope, running, wanted, _since(item) or "")
