"""The command line: its commands, and how a failure becomes one line and an exit code."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from pdsno_cli import __version__
from pdsno_cli.cli import console
from pdsno_cli.cli.audit import audit
from pdsno_cli.cli.capacity import capacity
from pdsno_cli.cli.controller import controller
from pdsno_cli.cli.devices import devices
from pdsno_cli.cli.discover import discover
from pdsno_cli.cli.down import down
from pdsno_cli.cli.fault import fault
from pdsno_cli.cli.lab import lab
from pdsno_cli.cli.policy import policy
from pdsno_cli.cli.quarantine import quarantine
from pdsno_cli.cli.rule import rule
from pdsno_cli.cli.schema import schema
from pdsno_cli.cli.status import status
from pdsno_cli.cli.tail import tail
from pdsno_cli.cli.topics import topics
from pdsno_cli.cli.up import up
from pdsno_cli.cli.validate import validate
from pdsno_cli.model.errors import InvalidTopologyError, PdsnoError

EXIT_INTERNAL = 3

app = typer.Typer(
    name="pdsno",
    help="One YAML file declares a control plane of network controllers: check it, draw it, run it.",
    no_args_is_help=True,
    rich_markup_mode=None,  # rich costs more to import than everything else together
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        console.data(f"pdsno {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


app.command()(validate)
app.command()(schema)
app.command()(rule)
app.command()(topics)
app.command()(capacity)
app.command()(up)
app.command()(status)
app.command()(devices)
app.command()(audit)
app.add_typer(quarantine, name="quarantine")
app.command()(discover)
app.add_typer(policy, name="policy")
app.command()(tail)
app.command()(down)
app.add_typer(lab, name="lab")
app.add_typer(fault, name="fault")
app.add_typer(controller, name="controller")


def run() -> None:
    """Run the command line; an expected failure is one line on stderr."""
    console.encode_leniently()
    try:
        _invoke()
    except InvalidTopologyError as exc:
        console.findings(exc.diagnostics)
        sys.exit(exc.exit_code)
    except PdsnoError as exc:
        console.fail(str(exc))
        sys.exit(exc.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as exc:  # noqa: BLE001 - the last line of defence: a bug of pdsno
        import traceback

        traceback.print_exc()
        console.fail(f"{type(exc).__name__}: {exc}; this is a bug in pdsno, please report it")
        sys.exit(EXIT_INTERNAL)


def _invoke() -> None:
    try:
        app()
    except OSError:
        console.flush()  # raises OperationError if it was the help that could not be written
        raise
