"""``pdsno lab``: changes the devices of a running lab."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from pdsno_cli.cli import console
from pdsno_cli.cli.args import STATE_DIR
from pdsno_cli.cli.completion import topologies
from pdsno_cli.cli.target import locate

lab = typer.Typer(
    help="Change the lab of a running topology.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

_FILE = Annotated[
    Path,
    typer.Argument(
        metavar="FILE",
        autocompletion=topologies,
        help="The running topology, by its file or its name.",
    ),
]
_ADDRESS = Annotated[str, typer.Argument(help="The device's IPv4 address.")]


@lab.command()
def remove(file: _FILE, address: _ADDRESS, state_dir: STATE_DIR = None) -> None:
    """Remove a device."""
    _change(file, state_dir, {"change": "remove", "address": address})


@lab.command()
def add(file: _FILE, address: _ADDRESS, state_dir: STATE_DIR = None) -> None:
    """Add a device, or one that was removed again."""
    _change(file, state_dir, {"change": "add", "address": address})


@lab.command()
def rename(
    file: _FILE,
    address: _ADDRESS,
    sys_name: Annotated[str, typer.Argument(help="The new sysName.")],
    state_dir: STATE_DIR = None,
) -> None:
    """Change the sysName of a device."""
    _change(file, state_dir, {"change": "rename", "address": address, "sys_name": sys_name})


def _change(file: Path, state_dir: Path | None, request: dict[str, Any]) -> None:
    from pdsno_cli.supervisor.control import ask

    answer = ask(locate(file, state_dir).state.control, {"op": "lab", **request})
    console.progress(answer["done"])
