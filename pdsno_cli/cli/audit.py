"""``pdsno audit``: where every message that was ever sent is now."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pdsno_cli.cli import console
from pdsno_cli.cli.running import JSON, STATE_DIR, running
from pdsno_cli.cli.table import table

if TYPE_CHECKING:
    from pdsno_cli.nib.audit import Account

FORMAT_VERSION = 1
_NUMBERS = ("sent", "committed", "quarantined", "coalesced", "waiting", "earlier", "lost", "twice")
_HEAD = ("stream", "sender", "receiver", "epoch", *_NUMBERS)


def audit(
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]")] = None,
    as_json: JSON = False,
    state_dir: STATE_DIR = None,
) -> None:
    """Reconcile what was sent with what was committed; exit 1 unless all is accounted for.

    Reads the stores, whether the topology is up or not.
    """
    from pdsno_cli.model.errors import UsageError
    from pdsno_cli.runtime.audit import accounts

    topology, state = running(file, state_dir)
    found, missing = accounts(topology, state)
    if len(missing) == len(topology.controllers):
        raise UsageError(f"{topology.name} was never up in {state.root}: there are no stores")
    found.sort(key=lambda item: (item.stream, item.sender, item.receiver, item.epoch))
    wrong = [item for item in found if not item.accounted]
    if as_json:
        report = {
            "format_version": FORMAT_VERSION,
            "topology": topology.name,
            "accounted": not (wrong or missing),
            "without_store": missing,
            "streams": [dict(zip(_HEAD, _values(item), strict=True)) for item in found],
        }
        console.data(json.dumps(report, indent=2))
    else:
        console.data(table(_HEAD, [tuple(map(str, _values(item))) for item in found]))
        console.progress(_verdict(found, wrong, missing))
    if wrong or missing:
        raise typer.Exit(1)


def _values(item: Account) -> tuple[str | int, ...]:
    return (item.stream, item.sender, item.receiver, item.epoch,
            *(getattr(item, name) for name in _NUMBERS))  # fmt: skip


def _verdict(found: list[Account], wrong: list[Account], missing: list[str]) -> str:
    sent = sum(item.sent for item in found)
    if missing:
        return f"no store here of {', '.join(missing)}: run the audit where their stores are"
    if wrong:
        lost, twice = sum(item.lost for item in wrong), sum(item.twice for item in wrong)
        return f"{sent} messages, {lost} lost, {twice} twice"
    waiting = sum(item.waiting for item in found)
    return f"{sent} messages, all accounted for; {waiting} on their way"
