"""``pdsno web``: serves a page about one topology from this machine."""

from __future__ import annotations

from typing import Annotated

import typer

from pdsno_cli.cli import console
from pdsno_cli.cli.args import FILE, STATE_DIR
from pdsno_cli.cli.target import load


def web(
    file: FILE = None,
    *,
    listen: Annotated[
        str,
        typer.Option("--listen", metavar="HOST:PORT", help="Where to serve; port 0 is a free one."),
    ] = "127.0.0.1:0",
    open_: Annotated[
        bool, typer.Option("--open", help="Open the page in this machine's browser.")
    ] = False,
    state_dir: STATE_DIR = None,
) -> None:
    """Serve a read-only page about a topology, until Ctrl-C.

    Controllers, devices with their interfaces, neighbours and history, the map, events; running or
    stopped. Prints the page's address, which holds a token that every request needs.
    """
    topology, state = load(file, state_dir)
    from pdsno_cli.web.plane import Plane
    from pdsno_cli.web.server import listen as listen_on
    from pdsno_cli.web.server import new_token, serve

    listening = listen_on(listen)
    token, code = new_token(), new_token()

    def started() -> None:
        console.data(listening.url(token))
        if not listening.loopback:
            console.progress(
                f"warning: {listen} is not loopback: whoever reaches it and has this address can "
                "read everything about the topology, and so can who listens on the way (no TLS)"
            )
        console.progress(f"serving {topology.name}; Ctrl-C ends")
        if open_:
            _open(listening.url_once(code))

    plane = Plane(topology, state, on_trouble=console.message)
    serve(plane, listening, token=token, codes=[code] if open_ else [], on_start=started)
    console.progress("ended")


def _open(url: str) -> None:
    """Open a browser without waiting for it."""
    import threading
    import webbrowser

    def run() -> None:
        if not webbrowser.open(url):
            console.progress("no browser found: open the address above")

    threading.Thread(target=run, name="browser", daemon=True).start()
