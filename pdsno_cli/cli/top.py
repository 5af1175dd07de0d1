"""``pdsno top``: shows a running topology on the full screen."""

from __future__ import annotations

import importlib.util
import sys

from pdsno_cli.cli import console
from pdsno_cli.cli.args import FILE, STATE_DIR
from pdsno_cli.cli.target import locate


def top(file: FILE = None, state_dir: STATE_DIR = None) -> None:
    """Show a running topology on the full screen.

    Regions fold (space), rows are filtered (/) and sorted (s), Enter shows a controller's detail and log,
    r restarts it, q ends. Needs textual: pip install 'pdsno[top]'.
    """
    from pdsno_cli.model.errors import UsageError
    from pdsno_cli.supervisor.control import ask

    if importlib.util.find_spec("textual") is None:
        raise UsageError("pdsno top needs textual: pip install 'pdsno[top]'")
    if not (console.terminal(sys.stdin) and console.terminal(sys.stdout)):
        raise UsageError("pdsno top needs a terminal; elsewhere: pdsno status --json")
    target = locate(file, state_dir)
    ask(target.state.control, {"op": "status"})  # one line if it is not up
    from pdsno_cli.cli.top_app import run_top

    run_top(target.name, target.state)
