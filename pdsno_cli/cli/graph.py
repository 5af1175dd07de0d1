"""``pdsno graph``: draws the physical map of the network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pdsno_cli.cli import console
from pdsno_cli.cli.args import FILE, STATE_DIR, choose_format, require_region
from pdsno_cli.cli.target import load
from pdsno_cli.model.errors import OperationError

_FORMATS = ("mermaid", "dot", "json", "html")
_SUFFIXES = {".html": "html", ".htm": "html", ".json": "json", ".dot": "dot", ".gv": "dot"}


def graph(
    file: FILE = None,
    *,
    format_: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="NAME",
            help=f"One of: {', '.join(_FORMATS)} (default: by the name of -o, else mermaid).",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="PATH", help="Write to this file, not to stdout."),
    ] = None,
    region: Annotated[
        list[str] | None,
        typer.Option("--region", metavar="NAME", help="Draw these regions only; repeatable."),
    ] = None,
    state_dir: STATE_DIR = None,
) -> None:
    """Draw the physical map: what is plugged into what.

    Links come from LLDP, CDP and forwarding tables, in the stores on this machine. The page needs no
    network: it pans, zooms, searches, and folds regions.
    """
    from pdsno_cli.client.drawing import network_of
    from pdsno_cli.client.network import read_network
    from pdsno_cli.discovery.physical.links import physical_map
    from pdsno_cli.render.network_drawing import draw_network

    form = choose_format(format_ or _format_of(output), _FORMATS)
    topology, state = load(file, state_dir)
    for name in region or ():
        require_region(topology, name)
    map_ = physical_map(read_network(topology, state, region or None))
    text = draw_network(network_of(map_, topology.name), form)
    if output is None:
        console.data(text)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as exc:
        raise OperationError(f"{output} cannot be written: {exc.strerror}") from exc
    console.message(f"{output}: {len(map_.nodes)} devices, {len(map_.links)} links")


def _format_of(output: Path | None) -> str:
    return _SUFFIXES.get(output.suffix.lower(), "mermaid") if output is not None else "mermaid"
