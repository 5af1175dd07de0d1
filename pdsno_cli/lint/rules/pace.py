"""PDS219: a duration out of bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.lint.common import one_for_each_key, written
from pdsno_cli.lint.rule import Rule
from pdsno_cli.model.diagnostics import Severity
from pdsno_cli.model.durations import DAY, SHORTEST, format_duration
from pdsno_cli.model.roles import Role
from pdsno_cli.spec.document import Where

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pdsno_cli.model.diagnostics import Diagnostic
    from pdsno_cli.spec.document import Document
    from pdsno_cli.spec.topology import Details, Policy, Topology

CODE = "PDS219"
SHORTEST_TRY, LONGEST_TRY = 0.001, 60.0
LEAST_DETAILS = 10.0
KEEPALIVE = (1.0, 65_535.0)  # MQTT 5.0 section 3.1.2.10: two bytes of seconds; 0 disables it

Bound = tuple[str, float, float, float, Where]


def check(topology: Topology, document: Document) -> Iterator[Diagnostic]:
    """Yield a finding for each duration out of bounds, once if several controllers inherit it."""
    reported: set[Where] = set()
    for name, seconds, least, most, where in _durations(topology, document):
        if where not in reported:
            found = list(check_duration(document, name, seconds, where, least=least, most=most))
            reported.update(where for _ in found)
            yield from found
    yield from _retries(topology, document)
    yield from _bounds(topology, document)


def _bounds(topology: Topology, document: Document) -> Iterator[Diagnostic]:
    """Yield a finding for each floor above its ceiling."""
    reported: set[Where] = set()
    for item in one_for_each_key(topology):
        floor, ceiling = item.discovery.timeout.floor, item.discovery.timeout.ceiling
        if floor is None or ceiling is None or floor <= ceiling:
            continue
        where = written(document, item, ("discovery", "timeout", "floor"))
        if where not in reported:
            reported.add(where)
            yield document.finding(
                CODE,
                f"a floor of {format_duration(floor)} is above the ceiling of "
                f"{format_duration(ceiling)}",
                where,
                hint=f"for example: floor: {format_duration(ceiling / 10)}",
            )


def _retries(topology: Topology, document: Document) -> Iterator[Diagnostic]:
    """Yield a warning for tries of one device that take longer than a cycle may."""
    for item in one_for_each_key(topology):
        snmp = item.discovery.snmp
        if item.role is not Role.LOCAL or not SHORTEST_TRY <= snmp.timeout <= LONGEST_TRY:
            continue
        region = topology.regions.get(item.region or "")
        intervals = (region and region.policy.scan_interval, topology.policy.scan_interval)
        interval = next((one for one in intervals if one), item.discovery.interval)
        tries = snmp.retries + 1
        if snmp.timeout * tries <= interval or interval < SHORTEST:
            continue
        where = written(document, item, ("discovery", "snmp", "timeout"))
        if not document.has(where):
            where = written(document, item, ("discovery", "snmp", "retries"))
        if document.has(where):
            yield document.finding(
                CODE,
                f"{tries} tries of {format_duration(snmp.timeout)} take longer than "
                f"the interval of {format_duration(interval)}",
                where,
                severity=Severity.WARNING,
                hint="lower timeout or retries, or raise the interval",
            )


def check_duration(
    document: Document,
    name: str,
    seconds: float,
    where: Where,
    *,
    least: float = SHORTEST,
    most: float = DAY,
) -> Iterator[Diagnostic]:
    """Yield a finding if the duration at ``where`` is out of bounds."""
    if not least <= seconds <= most:
        bound = f"at least {least:g}s" if seconds < least else f"at most {format_duration(most)}"
        example = least if seconds < least else most
        yield document.finding(
            CODE,
            f"{name} of {format_duration(seconds)} is out of bounds: {bound}",
            where,
            hint=f"for example: {where[-1]}: {format_duration(example)}",
        )


def _durations(topology: Topology, document: Document) -> Iterator[Bound]:
    outbox = topology.outbox
    yield "an age", outbox.age, 1.0, 365 * DAY, ("outbox", "age")
    yield "a patience", outbox.patience, 1.0, DAY, ("outbox", "patience")
    yield "a keepalive", topology.broker.keepalive, *KEEPALIVE, ("broker", "keepalive")
    scopes: list[tuple[Policy, Where]] = [(topology.policy, ("policy",))]
    scopes += [
        (region.policy, ("regions", name, "policy")) for name, region in topology.regions.items()
    ]
    for policy, where in scopes:
        if policy.scan_interval is not None:
            yield "an interval", policy.scan_interval, SHORTEST, DAY, (*where, "scan_interval")
    for item in one_for_each_key(topology):
        own = item.discovery
        timeout = ("discovery", "timeout")
        for name, seconds, least, most, path in (
            ("a floor", own.timeout.floor, SHORTEST_TRY, LONGEST_TRY, (*timeout, "floor")),
            ("a ceiling", own.timeout.ceiling, SHORTEST_TRY, LONGEST_TRY, (*timeout, "ceiling")),
            ("a heartbeat", item.heartbeat, SHORTEST, DAY, ("heartbeat",)),
            ("an interval", own.interval, SHORTEST, DAY, ("discovery", "interval")),
            (
                "a timeout",
                own.snmp.timeout,
                SHORTEST_TRY,
                LONGEST_TRY,
                ("discovery", "snmp", "timeout"),
            ),
            *_details(own.snmp.details),
        ):
            if seconds is not None and not least <= seconds <= most:
                yield name, seconds, least, most, written(document, item, path)


def _details(details: Details | None) -> Iterator[Bound]:
    if details is not None:
        path = ("discovery", "snmp", "details", "interval")
        yield "an interval", details.interval, LEAST_DETAILS, 7 * DAY, path


RULE = Rule(code=CODE, name="pace", check=check)
