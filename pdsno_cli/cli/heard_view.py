"""Formats what was heard over the broker as text, and its rows for JSON; pure."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from pdsno_cli.cli.table import fitted
from pdsno_cli.client.heard_report import STATUS_LEFT_OUT
from pdsno_cli.controllers.policy import concerned, scopes
from pdsno_cli.model.printable import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pdsno_cli.client.heard import Heard

_MARK = "heard over the broker just now; not from its supervisor"


def status_text(
    report: dict[str, Any], rows: Sequence[dict[str, Any]], *, width: int | None
) -> str:
    """Return the text of ``pdsno status``."""
    alive = sum(row["health"] == "alive" for row in rows)
    head = f"{report['topology']}: {report['broker']}; {alive}/{len(rows)} alive"
    cells = [
        (
            row["id"],
            row["role"],
            row["region"] or "",
            row["health"],
            "" if row["last_status_age"] is None else f"{row['last_status_age']:.0f} s ago",
            printable(row["holder"] or ""),
        )
        for row in rows
    ]
    table = fitted(
        ("controller", "role", "region", "state", "last status", "process"),
        cells,
        width=width,
        drop=("process", "role", "last status", "region"),
    )
    reasons: dict[str, list[str]] = {}
    for row in rows:
        if row["reason"] is not None:
            reasons.setdefault(f"{row['health']}: {row['reason']}", []).append(row["id"])
    why = [f"{', '.join(names)}: {reason}" for reason, names in reasons.items()]
    left_out = f"left out, known to its supervisor alone: {STATUS_LEFT_OUT}"
    return _joined([head, f"({_MARK})"], table, [*why, left_out], width)


def policy_rows(heard: Heard) -> list[dict[str, Any]]:
    """Return a row for each controller and scope, as ``pdsno policy status --json`` has them."""
    found = []
    for scope in scopes(heard.topology):
        document = heard.policies.get(scope)
        for spec in concerned(heard.topology, scope):
            name = spec.controller_id
            version = heard.applied.get((name, scope))
            found.append(
                {
                    "controller_id": name,
                    "scope": scope,
                    "version": version,
                    "wanted": None if document is None else document.version,
                    "source": None if version is None else "event",
                }
            )
    return found


def policy_text(heard: Heard, *, width: int | None) -> str:
    """Return the text of ``pdsno policy status``."""
    rows = policy_rows(heard)
    cells = [
        (
            row["controller_id"],
            row["scope"],
            "unknown" if row["version"] is None else str(row["version"]),
            "" if row["wanted"] is None else str(row["wanted"]),
        )
        for row in rows
    ]
    table = fitted(
        ("controller", "scope", "running", "wanted"), cells, width=width, drop=("scope",)
    )
    names = list(dict.fromkeys(row["controller_id"] for row in rows if row["version"] is None))
    return _joined([f"({_MARK})"], table, _left_out("the versions that run", names), width)


def stream_rows(heard: Heard) -> list[dict[str, Any]]:
    """Return a row for each stream that was heard of: offsets are epoch and number."""
    return [
        {
            "stream": item.stream,
            "sender": item.sender,
            "receiver": item.receiver,
            "published": item.published,
            "acknowledged": item.acknowledged,
        }
        for _, item in sorted(heard.streams.items())
    ]


def audit_text(heard: Heard, *, width: int) -> str:
    """Return the text of ``pdsno audit``."""
    rows = stream_rows(heard)
    table = fitted(
        ("stream", "receiver", "published", "acknowledged"),
        [
            (
                row["stream"],
                row["receiver"] or "",
                _offset(row["published"]),
                _offset(row["acknowledged"]),
            )
            for row in rows
        ],
        width=width,
        drop=("receiver", "published"),
    )
    if not rows:
        table = "no report, summary or acknowledgement was heard\n"
    names = list(heard.controllers)
    return _joined([f"({_MARK})"], table, _left_out("sums and inventories", names), width)


def _offset(value: tuple[int, int] | None) -> str:
    return "" if value is None else f"{value[0]}/{value[1]}"


def _left_out(what: str, names: Sequence[str]) -> list[str]:
    """Return the line that names the stores that would be needed, none if none is."""
    return [f"left out, {what} are in the stores of: {', '.join(names)}"] if names else []


def _joined(head: Sequence[str], table: str, tail: Sequence[str], width: int | None) -> str:
    lines = [*head, *table.splitlines()]
    for text in tail:
        lines += textwrap.wrap(
            text,
            width or 10_000,
            subsequent_indent="  ",
            break_long_words=False,
            break_on_hyphens=False,
        )
    return "\n".join(lines)
