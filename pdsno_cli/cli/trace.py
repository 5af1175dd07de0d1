"""``pdsno trace``: follows one address through every stage of discovery."""

from __future__ import annotations

from typing import Annotated

import typer

from pdsno_cli.cli.args import FILE, JSON, STATE_DIR
from pdsno_cli.cli.doctor import print_findings
from pdsno_cli.cli.target import load
from pdsno_cli.model.errors import UsageError


def trace(
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="An IPv4 or IPv6 address.")],
    file: FILE = None,
    *,
    probe: Annotated[
        bool, typer.Option("--probe/--no-probe", help="Ask the address from this machine.")
    ] = True,
    as_json: JSON = False,
    state_dir: STATE_DIR = None,
) -> None:
    """Show why an address is found, or is not.

    Which local controller covers it, what each protocol gets from it now, what each level's store
    holds. Exits with 1 if a stage fails.
    """
    from pdsno_cli.client.trace import trace_address
    from pdsno_cli.model.targets import parse_range

    topology, state = load(file, state_dir)
    try:
        (only,) = parse_range(address).addresses()
    except ValueError as exc:
        raise UsageError(
            f"invalid address {address!r}: name one address "
            "(pdsno device NAME shows those of a device)"
        ) from exc
    found = print_findings(
        topology.name, trace_address(topology, state, only, probe=probe), as_json=as_json
    )
    if any(item.verdict == "fail" for item in found):
        raise typer.Exit(1)
