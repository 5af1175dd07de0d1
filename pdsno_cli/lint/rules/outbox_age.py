"""PDS312: an outbox that is full before it is as old as the file says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.lint.capacity import backlog, interval
from pdsno_cli.lint.rule import Rule
from pdsno_cli.model.diagnostics import Severity
from pdsno_cli.model.durations import format_about, format_duration
from pdsno_cli.model.roles import Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pdsno_cli.model.diagnostics import Diagnostic
    from pdsno_cli.spec.document import Document
    from pdsno_cli.spec.topology import Topology

CODE = "PDS312"


def check(topology: Topology, document: Document) -> Iterator[Diagnostic]:
    """Yield one warning if the reports of the quickest local controller fill a declared outbox."""
    if not document.has(("outbox",)):
        return
    quickest = min(
        (item for item in topology.of_role(Role.LOCAL) if item.discovery.targets),
        key=lambda item: interval(topology, item),
        default=None,
    )
    if quickest is None:
        return
    seconds = interval(topology, quickest)
    found = backlog(topology, quickest.key, "discovery", 1 / seconds)
    if found.limit == "age":
        return
    age = topology.outbox.age
    least = -(-age // seconds)
    written = document.has(("outbox", found.limit))
    hint = f"messages: {least:.0f} or more, or a shorter age"
    if found.limit == "size":
        hint = f"size: {topology.outbox.size * age / found.lasts:.0f} or more, or a shorter age"
    yield document.finding(
        CODE,
        f"outbox.{found.limit} is reached after {format_about(found.lasts)}, before the age of "
        f"{format_duration(age)}: {quickest.controller_id!r} reports every {format_duration(seconds)}",
        ("outbox", found.limit if written else "age"),
        severity=Severity.WARNING,
        hint=hint,
    )


RULE = Rule(code=CODE, name="outbox-age", check=check, advice=True)
