"""``pdsno restart``: restarts controllers of a running topology in order."""

from __future__ import annotations

from typing import Annotated

import typer

from pdsno_cli.cli.args import JSON, STATE_DIR
from pdsno_cli.cli.completion import topology_and_controllers
from pdsno_cli.cli.order import EACH, order_controllers


def restart(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FILE] [ID]...",
            autocompletion=topology_and_controllers(),
            help="The topology, by file or name; controllers.",
        ),
    ] = None,
    *,
    timeout: EACH = "30s",
    as_json: JSON = False,
    state_dir: STATE_DIR = None,
) -> None:
    """Restart controllers, one after the other.

    All of them by default: locals first, parents last. Each stops in order and is ready again before
    the next one. Starts those that were stopped or given up.
    """
    order_controllers(
        "restart", words, timeout=timeout, as_json=as_json, state_dir=state_dir, everyone=True
    )
