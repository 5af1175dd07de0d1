"""The command line: its commands, and how a failure becomes one line and an exit code."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from pdsno_cli import __version__
from pdsno_cli.cli import console
from pdsno_cli.model.errors import InvalidTopologyError, PdsnoError

if TYPE_CHECKING:
    from collections.abc import Iterable

EXIT_INTERNAL = 3

# Each is a module of this package, with a function or a group of commands by its name.
COMMANDS = (
    "validate", "schema", "rule", "topics", "capacity", "doctor", "check", "plan",
    "up", "ls", "status", "ps", "top", "logs", "events", "devices", "device", "where", "graph",
    "web", "trace", "audit", "tail", "discover", "scan", "identify", "policy", "restart", "stop", "start",
    "wait", "down", "quarantine", "lab", "fault", "controller",
)  # fmt: skip


def build(names: Iterable[str] = COMMANDS) -> typer.Typer:
    """Return the command line with these commands."""
    app = typer.Typer(
        name="pdsno",
        help="One YAML file declares a control plane of network controllers: check it, draw it, run it.",
        no_args_is_help=True,
        rich_markup_mode=None,  # rich costs more to import than everything else together
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_options)
    for name in names:
        command = getattr(importlib.import_module(f"pdsno_cli.cli.{name}"), name)
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name)
        else:
            app.command(name)(command)
    return app


def _version(wanted: bool) -> None:
    if wanted:
        console.data(f"pdsno {__version__}")
        raise typer.Exit


def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


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
    # One command is quicker to import than all; the help, and what is no command, need them all.
    called = sys.argv[1:2]
    app = build(called if called and called[0] in COMMANDS else COMMANDS)
    try:
        app()
    except OSError:
        console.flush()  # raises OperationError if it was the help that could not be written
        raise
