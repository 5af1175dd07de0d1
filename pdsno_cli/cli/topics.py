"""``pdsno topics``: prints the topic tree of a topology, or of every topology."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from pdsno_cli.cli import console
from pdsno_cli.cli.args import choose_format
from pdsno_cli.cli.completion import topologies, values
from pdsno_cli.cli.target import drawn_files

FORMATS = ("tree", "table", "json", "markdown", "mermaid")


def topics(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FILE]",
            autocompletion=topologies,
            help="A topology file, or the name of one that ran here; - is stdin.",
        ),
    ] = None,
    format_: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="|".join(FORMATS),
            autocompletion=values(FORMATS),
            help="Output format.",
        ),
    ] = "tree",
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Show every topic of large families.")
    ] = False,
) -> None:
    """Print the topic tree: QoS, retain, publishers, subscribers.

    With no FILE: $PDSNO_TOPOLOGY, else ./topology.yaml, else each of ./topologies/*.yaml, else
    the topic map itself.
    """
    from pdsno_cli.lint.engine import require
    from pdsno_cli.render.drawing import draw

    wanted = choose_format(format_, FORMATS, as_json=as_json)
    found = [require(path) for path in drawn_files(file)]
    # A table that goes into a file or another program is whole.
    width = console.width() if console.terminal(sys.stdout) else None
    console.data(draw(found or [None], wanted, everything=everything, width=width))
