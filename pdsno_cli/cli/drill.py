"""One drill of ``pdsno fault``: runs it, prints its measures, and judges them by their bounds."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from pdsno_cli.cli import console
from pdsno_cli.cli.args import (
    COUNTS,
    DURATIONS,
    Bound,
    exceeded,
    format_measure,
    require_controller,
)
from pdsno_cli.cli.table import table
from pdsno_cli.model.errors import OperationError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pdsno_cli.client.drill import Drill, DrillResult
    from pdsno_cli.spec.topology import Topology

FORMAT_VERSION = 1


def check(topology: Topology, victim: str | None) -> None:
    """Raise UsageError unless the victim is a controller of the topology, or its embedded broker."""
    if victim is None:
        if not topology.broker.embedded:
            raise UsageError(
                f"faults can be injected into an embedded broker only; {topology.name} uses an external one"
            )
    else:
        require_controller(topology, victim)


def run_drill(
    drill: Drill, target: str, bounds: Sequence[Bound], limit: float, *, as_json: bool
) -> None:
    """Run a drill and print its result; ``target`` is ``broker``, ``controller`` or ``link``.

    Raises OperationError when the topology has not recovered ``limit`` seconds after the end of the
    fault, when a bound is exceeded, or when a message was lost or applied twice.
    """
    result = drill.run(limit)
    measured = result.measured
    numbers = (measured.fallback, result.recovery, measured.delayed, result.lost, result.twice)
    values = dict(zip((*DURATIONS, *COUNTS), numbers, strict=True))
    broken = exceeded(bounds, values)
    if as_json:
        members = _members(drill, target, result, values, broken)
        console.document(FORMAT_VERSION, drill.topology.name, **members)
    else:
        most = {item.key: item.text.removeprefix(item.key) for item in bounds}
        console.data(
            table(
                ("measure", "value", "bound"),
                [
                    (key, format_measure(key, value), most.get(key, ""))
                    for key, value in values.items()
                ],
            )
        )
    failures = [
        f"{item.key} is {format_measure(item.key, values[item.key])}, above the bound {item.text}"
        for item in broken
        if result.missing is None or item.key != "recovery"  # reported below
    ]
    if result.missing is not None:
        failures.insert(0, f"not recovered within {limit:g} s: {result.missing}")
    if failures:
        raise OperationError("; ".join(failures))


def _members(
    drill: Drill,
    target: str,
    result: DrillResult,
    values: dict[str, float | None],
    broken: Sequence[Bound],
) -> dict[str, Any]:
    return {
        "fault": {
            "target": target,
            "controller": drill.victim,
            "action": drill.action,
            "seconds": drill.seconds,
        },
        "recovered": result.missing is None,
        **{key: _number(value) for key, value in values.items()},
        "without_carrier": [
            {
                "id": name,
                "lost_after": _number(outage.lost),
                "ready_after": _number(outage.again),
                "transport": outage.transport,
            }
            for name, outage in result.measured.outages.items()
        ],
        "broken": [item.text for item in broken],
    }


def _number(value: float | None) -> float | None:
    """Return a value for JSON, which has no infinity: null means never."""
    return None if value is None or math.isinf(value) else round(value, 3)
