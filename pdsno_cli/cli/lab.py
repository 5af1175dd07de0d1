"""``pdsno lab``: shows the devices of a lab, and changes them while it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from pdsno_cli.cli import console
from pdsno_cli.cli.args import FILE, JSON, STATE_DIR, WIDE
from pdsno_cli.cli.completion import topologies
from pdsno_cli.cli.target import load, locate
from pdsno_cli.model.printable import printable

lab = typer.Typer(
    help="Show the lab of a topology, or change it while it runs.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

_RUNNING = Annotated[
    Path,
    typer.Argument(
        metavar="FILE",
        autocompletion=topologies,
        help="The running topology, by its file or its name.",
    ),
]
_ADDRESS = Annotated[str, typer.Argument(metavar="ADDRESS", help="The device's IPv4 address.")]


@lab.command()
def remove(file: _RUNNING, address: _ADDRESS, state_dir: STATE_DIR = None) -> None:
    """Remove a device."""
    _change(file, state_dir, {"change": "remove", "address": address})


@lab.command()
def add(file: _RUNNING, address: _ADDRESS, state_dir: STATE_DIR = None) -> None:
    """Add a device, or one that was removed again."""
    _change(file, state_dir, {"change": "add", "address": address})


@lab.command()
def rename(
    file: _RUNNING,
    address: _ADDRESS,
    sys_name: Annotated[str, typer.Argument(metavar="NAME", help="The new sysName.")],
    state_dir: STATE_DIR = None,
) -> None:
    """Change the sysName of a device."""
    _change(file, state_dir, {"change": "rename", "address": address, "sys_name": sys_name})


@lab.command()
def show(
    file: FILE = None,
    *,
    as_json: JSON = False,
    wide: WIDE = False,
    state_dir: STATE_DIR = None,
) -> None:
    """Show the devices that the lab starts with, and their cables.

    From the file, also if it is not up; changes since its start are not shown.
    """
    from pdsno_cli.cli.lab_show import show as print_devices

    topology, _ = load(file, state_dir)
    print_devices(topology, as_json=as_json, wide=wide)


def _change(file: Path, state_dir: Path | None, request: dict[str, Any]) -> None:
    from pdsno_cli.supervisor.control import ask

    answer = ask(locate(file, state_dir).state.control, {"op": "lab", **request})
    console.progress(printable(answer["done"]))
