"""``pdsno audit``: reconciles every message ever sent, and the inventories of all levels."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pdsno_cli.cli import console
from pdsno_cli.cli.args import FILE, JSON, STATE_DIR, seconds
from pdsno_cli.cli.table import plural, table
from pdsno_cli.cli.target import load
from pdsno_cli.model.durations import format_age

if TYPE_CHECKING:
    from pdsno_cli.client.inventories import Inventory
    from pdsno_cli.nib.audit import Account
    from pdsno_cli.nib.contents import Contents
    from pdsno_cli.runtime.state_dir import StateDir
    from pdsno_cli.spec.topology import Topology

FORMAT_VERSION = 1
_NUMBERS = ("sent", "committed", "quarantined", "coalesced", "waiting", "earlier", "lost", "twice")
_HEAD = ("stream", "sender", "receiver", "epoch", *_NUMBERS)


def audit(
    file: FILE = None,
    max_wait: Annotated[
        str | None,
        typer.Option(
            "--max-wait",
            metavar="DURATION",
            help="Fail if a message waits for longer (default: 4 times outbox.patience).",
        ),
    ] = None,
    every: Annotated[
        bool,
        typer.Option(
            "--all", help="List every stream, not only those with waiting or lost messages."
        ),
    ] = False,
    as_json: JSON = False,
    state_dir: STATE_DIR = None,
) -> None:
    """Reconcile messages and inventories.

    Compares messages sent with messages committed, and the inventories of all levels.

    Exits with 1 unless every message is accounted for, none waits for too long, and the inventories
    are equal. Reads the stores on this machine; the topology may be up or down. Without any it shows the
    acknowledgements that a declared broker tells, and exits with 1: nothing is accounted for.
    """
    from pdsno_cli.client.audit import accounts, default_limit
    from pdsno_cli.client.inventories import TIMEOUT, inventories
    from pdsno_cli.model.errors import UsageError

    topology, state = load(file, state_dir)
    limit = default_limit(topology) if max_wait is None else seconds(max_wait)
    up = state.in_use
    found_inventories = inventories(topology, state, timeout=TIMEOUT if up else 0.0)
    found, missing = accounts(topology, state)
    if len(missing) == len(topology.controllers):
        if not topology.broker.embedded:
            _show_heard(topology, state, as_json=as_json)
            raise typer.Exit(1)
        raise UsageError(f"{topology.name} was never up in {state.root}: there are no stores")
    # The age of a waiting message counts to the end of the last run.
    now = time.time() if up else state.last_written()
    result = _Result(found, missing, found_inventories, now=now, limit=limit)
    if as_json:
        console.document(FORMAT_VERSION, topology.name, **result.members())
    else:
        console.data(result.text(every=every))
        for line in result.verdict():
            console.progress(line)
    if not result.well:
        raise typer.Exit(1)


def _show_heard(topology: Topology, state: StateDir, *, as_json: bool) -> None:
    """Show the offsets of reports and summaries that are heard: nothing can be accounted for."""
    from pdsno_cli.cli.heard_view import audit_text, stream_rows
    from pdsno_cli.client.heard import listen
    from pdsno_cli.client.heard_report import members

    heard = listen(topology, state, ("discovery", "summary", "ack"), console.progress, whole=True)
    if as_json:
        console.document(
            FORMAT_VERSION,
            topology.name,
            **(members(heard) | {"well": False}),
            accounted=False,
            without_store=list(topology.controllers),
            streams=stream_rows(heard),
            inventories=[],
        )
    else:
        console.data(audit_text(heard, width=console.width()))


class _Result:
    """The accounts and inventories, and their verdict; messages may wait ``limit`` seconds."""

    def __init__(
        self,
        accounts: list[Account],
        missing: list[str],
        inventories: list[Inventory],
        *,
        now: float,
        limit: float,
    ) -> None:
        self._accounts = sorted(accounts, key=lambda a: (a.stream, a.sender, a.receiver, a.epoch))
        self._missing = missing
        self._inventories = inventories
        self._now = now
        self._limit = limit
        self._wrong = [item for item in accounts if not item.accounted]
        self._late = [item for item in accounts if self._age(item) > limit]
        self._differ = [item for item in inventories if item.verdict == "differs"]
        self.well = not (self._wrong or self._late or self._differ or missing)

    def _age(self, item: Account) -> float:
        from pdsno_cli.client.audit import oldest_wait

        return oldest_wait(item, self._now)

    def members(self) -> dict[str, Any]:
        """Return the members of the JSON document."""
        return {
            "well": self.well,
            "accounted": not (self._wrong or self._missing),
            "without_store": self._missing,
            "streams": [
                {
                    **dict(zip(_HEAD, _values(item), strict=True)),
                    "oldest_wait": round(max(self._age(item), 0.0), 1),
                }
                for item in self._accounts
            ],
            "inventories": [
                {
                    "local": item.local_id,
                    "region": item.region,
                    "contents": item.verdict,
                    **{
                        level: None if contents is None else contents._asdict()
                        for level, contents in zip(
                            ("at_local", "at_region", "at_top"), _levels(item), strict=True
                        )
                    },
                }
                for item in self._inventories
            ],
        }

    def text(self, *, every: bool) -> str:
        """Return the inventories as a table, then the streams with findings, or all streams."""
        head = ("local", "devices", "region", "top", "contents")
        rows = [
            (item.local_id, *map(_devices, _levels(item)), item.verdict)
            for item in self._inventories
        ]
        lines = [table(head, rows).rstrip("\n")]
        for item in self._accounts:
            if every or not _ordinary(item):
                lines += ["", *self._stream(item)]
        return "\n".join(lines)

    def _stream(self, item: Account) -> list[str]:
        """Return a stream in two lines, or three where its ids do not fit into 80 columns."""
        names = [f"{item.stream}: {item.sender} → {item.receiver}"]
        if len(names[0]) > 80:
            names = [f"{item.stream}:", f"  {item.sender} → {item.receiver}"]
        counts = ", ".join(
            f"{getattr(item, name)} {name}" for name in _NUMBERS if getattr(item, name)
        )
        age = self._age(item)
        since = f" (for {format_age(age)})" if item.waiting and age >= 1 else ""
        return [*names, f"  epoch {item.epoch}: {counts}{since}"]

    def verdict(self) -> list[str]:
        """Return the verdict, one line per finding."""
        sent = sum(item.sent for item in self._accounts)
        lines: list[str] = []
        if self._missing:
            lines.append(
                f"no store of {', '.join(self._missing)} on this machine: run the audit where it is"
            )
        if self._wrong:
            lost = sum(item.lost for item in self._wrong)
            lines.append(f"{sent} messages, {lost} lost, {sum(i.twice for i in self._wrong)} twice")
        if self._late:
            worst = max(self._late, key=self._age)
            others = len(self._late) - 1
            lines.append(
                f"{worst.stream} is stalled: {plural(worst.waiting, 'message')} of {worst.sender} "
                f"for {worst.receiver}, the oldest for {format_age(self._age(worst))} "
                f"(limit {self._limit:g} s)" + (f"; {others} more stalled" if others else "")
            )
        if self._differ:
            names = ", ".join(item.local_id for item in self._differ)
            lines.append(f"the inventories differ between levels for {names}")
        if not lines:
            waiting = sum(item.waiting for item in self._accounts)
            lines.append(f"{sent} messages, all accounted for; {waiting} on their way")
        return lines


def _ordinary(item: Account) -> bool:
    """Return True if every message of a stream is committed."""
    return item.accounted and item.committed + item.waiting == item.sent and not item.waiting


def _levels(item: Inventory) -> tuple[Contents | None, Contents | None, Contents | None]:
    return item.local, item.regional, item.top


def _devices(contents: Contents | None) -> str:
    return "?" if contents is None else str(contents.devices)


def _values(item: Account) -> tuple[str | int, ...]:
    return (item.stream, item.sender, item.receiver, item.epoch,
            *(getattr(item, name) for name in _NUMBERS))  # fmt: skip
