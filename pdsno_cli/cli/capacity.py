"""``pdsno capacity``: prints the rates, queues, sweeps and backlogs that a topology implies."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from pdsno_cli.cli import console
from pdsno_cli.cli.args import FILE, JSON

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pdsno_cli.lint.capacity import Capacity
    from pdsno_cli.spec.topology import Topology

FORMAT_VERSION = 1
MOST = 8  # rows of a table, beyond which only the busiest are shown


def capacity(
    file: FILE = None,
    as_json: JSON = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Show every key, not only the busiest.")
    ] = False,
) -> None:
    """Estimate message rates, queues and sweep times from a file.

    docs/capacity.md lists the assumptions. Nothing is started.
    """
    from pdsno_cli.cli.target import load
    from pdsno_cli.lint.capacity import BYTES
    from pdsno_cli.lint.capacity import capacity as estimate

    topology, _ = load(file, None)
    figures = estimate(topology)
    if as_json:
        members = asdict(figures)
        members["message_bytes"] = dict(BYTES)
        console.document(FORMAT_VERSION, topology.name, **members)
    else:
        console.data(_text(topology, figures, everything=everything))


def _text(topology: Topology, found: Capacity, *, everything: bool) -> str:
    """Return the tables for people."""
    from pdsno_cli.cli.table import plural

    roles = ", ".join(f"{number} {role}" for role, number in found.controllers.items() if number)
    total = plural(sum(found.controllers.values()), "controller")
    retained = f"{plural(found.retained, 'retained message')}, {_size(found.retained_bytes)}"
    parts = [
        f"{topology.name}: {total} ({roles})\n{retained}\n",
        _classes(found),
        _consumers(topology, found, everything=everything),
        _sweeps(found, everything=everything),
        _backlogs(topology, found, everything=everything),
    ]
    return "\n".join(part for part in parts if part)


def _classes(found: Capacity) -> str:
    from pdsno_cli.cli.table import table
    from pdsno_cli.lint.capacity import BYTES

    published, delivered = found.published, found.delivered
    rows = [
        (name, _rate(published[name]), _rate(delivered.get(name, 0.0)), f"{size:,}")
        for name, size in BYTES.items()
        if name in published
    ]
    rows.append(("all", _rate(sum(published.values())), _rate(sum(delivered.values())), ""))
    return table(("class", "published/s", "delivered/s", "bytes each"), rows)


def _consumers(topology: Topology, found: Capacity, *, everything: bool) -> str:
    busiest = sorted(found.consumers, key=lambda item: -item.rate)
    outage = topology.broker.outage
    rows = [
        (
            item.key,
            _rate(item.rate),
            f"{_size(item.bytes)}/s",
            "-" if item.queue is None else f"{item.queue:,}",
            _span(item.lasts) + _against(item.lasts, outage),
        )
        for item in busiest
    ]
    head = ("each consumer", "messages/s", "bytes", "broker queue", "lasts")
    return _table(head, rows, everything=everything)


def _against(lasts: float | None, wanted: float | None) -> str:
    if lasts is None or wanted is None:
        return ""
    return f" of {_span(wanted)}" + (" (too short)" if lasts < wanted else "")


def _sweeps(found: Capacity, *, everything: bool) -> str:
    longest = sorted(found.sweeps, key=lambda item: -item.seconds / item.interval)
    rows = [
        (
            item.key,
            item.protocol,
            f"{item.addresses:,}",
            _span(item.seconds),
            _span(item.interval) + (" (too short)" if item.seconds > item.interval else ""),
        )
        for item in longest
    ]
    head = ("each discoverer", "slowest", "addresses", "at most", "interval")
    return _table(head, rows, everything=everything)


def _backlogs(topology: Topology, found: Capacity, *, everything: bool) -> str:
    shortest = sorted(found.backlogs, key=lambda item: item.lasts)
    age = topology.outbox.age
    rows = [
        (
            item.key,
            item.stream,
            _rate(item.rate),
            _span(item.lasts) + (f" of {_span(age)}" if item.limit != "age" else ""),
            item.limit,
        )
        for item in shortest
    ]
    head = ("each sender", "stream", "messages/s", "outbox lasts", "limit")
    return _table(head, rows, everything=everything)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], *, everything: bool) -> str:
    from pdsno_cli.cli.table import table

    if not rows:
        return ""
    hidden = 0 if everything else max(0, len(rows) - MOST)
    shown = table(head, rows[: len(rows) - hidden])
    return shown + (f"… {hidden} more: --all\n" if hidden else "")


def _rate(value: float) -> str:
    """Return messages a second with two significant digits, or whole ones."""
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def _size(number: float) -> str:
    for unit, length in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if number >= length:
            return f"{number / length:.3g} {unit}"
    return f"{number:.0f} B"


def _span(seconds: float | None) -> str:
    """Return a time, or a dash for one that is not known."""
    from pdsno_cli.model.durations import format_about

    return "-" if seconds is None else format_about(seconds)
