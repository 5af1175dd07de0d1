"""What ``pdsno restart``, ``stop`` and ``start`` share: arguments, progress, result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from pdsno_cli.cli import console
from pdsno_cli.cli.args import seconds
from pdsno_cli.cli.completion import topology_and_controllers
from pdsno_cli.cli.target import file_first, locate

if TYPE_CHECKING:
    from pathlib import Path

    from pdsno_cli.client.controller_orders import Order

FORMAT_VERSION = 1
_DONE = {"restart": "restarted, ready", "stop": "stopped", "start": "ready"}

WORDS = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[FILE] ID...",
        autocompletion=topology_and_controllers(),
        help="The topology, by file or name; controllers.",
    ),
]
EACH = Annotated[
    str,
    typer.Option("--timeout", metavar="DURATION", help="How long each controller may take."),
]


def order_controllers(
    order: Order,
    words: list[str] | None,
    *,
    timeout: str,
    as_json: bool,
    state_dir: Path | None,
    everyone: bool = False,
) -> None:
    """Give an order to controllers, and print each once it is carried out.

    ``everyone`` allows the order without ids, to all controllers.
    """
    from pdsno_cli.client.controller_orders import carry_out
    from pdsno_cli.model.errors import UsageError

    file, ids = file_first(words or [])
    limit = seconds(timeout)
    target = locate(file, state_dir)
    if not ids and not everyone:
        hint = f"; pdsno down {target.name} stops the whole topology" if order == "stop" else ""
        raise UsageError(f"which controllers? Name their ids{hint}")
    done = []
    for item in carry_out(target.state.control, order, ids, limit):
        done.append({"id": item.controller_id, "seconds": round(item.seconds, 3)})
        console.progress(f"{item.controller_id}: {_DONE[order]} after {item.seconds:.1f} s")
    if as_json:
        console.document(FORMAT_VERSION, target.name, order=order, controllers=done)
