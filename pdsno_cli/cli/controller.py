"""``pdsno controller run``: runs one controller in the foreground, for a service unit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pdsno_cli.cli.args import STATE_DIR, require_controller
from pdsno_cli.cli.completion import controllers
from pdsno_cli.cli.target import load

if TYPE_CHECKING:
    from pdsno_cli.runtime.state_dir import StateDir

controller = typer.Typer(
    help="Run one controller without pdsno up.", no_args_is_help=True, rich_markup_mode=None
)


@controller.callback()
def _group() -> None:
    """Keep ``run`` a subcommand, although it is the only one."""


@controller.command()
def run(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The topology.")],
    controller_id: Annotated[
        str, typer.Argument(metavar="ID", autocompletion=controllers, help="The controller's id.")
    ],
    state_dir: STATE_DIR = None,
) -> None:
    """Run one controller until SIGTERM or Ctrl-C.

    It logs to stderr.
    """
    from pdsno_cli.model.errors import OperationError
    from pdsno_cli.runtime.standalone import run_standalone

    topology, state = load(file, state_dir)
    require_controller(topology, controller_id)
    failure = run_standalone(topology, state, controller_id, _embedded_port(state))
    if failure is not None:
        raise OperationError(f"{controller_id}: {failure}")


def _embedded_port(state: StateDir) -> int:
    """Return the port of the running topology's embedded broker, 0 if there is none."""
    from pdsno_cli.model.errors import PdsnoError
    from pdsno_cli.supervisor.control import ask

    try:
        port: int = ask(state.control, {"op": "status"})["broker_port"]
    except PdsnoError:
        return 0
    return port
