"""Reads what a reference stands for as the schema wants it: as text, or as number or boolean.

YAML needs quotes around ``${…}`` in flow style, so quotes cannot decide: ``{port: "${P:-1883}"}`` is a
number, and ``{description: ${YEAR}}`` would be text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pdsno_cli.spec.document import Where
    from pdsno_cli.spec.schema import Violation

# The other reading of a value, by the id of its container and its key or index.
Readings = dict[tuple[int, str | int], Any]

_BY_TYPE = ("type", "enum")


def reread(data: Any, violations: Iterable[Violation], readings: Readings) -> bool:
    """Put the other reading in place of each value of the wrong type; return True if there was one."""
    changed = False
    for violation in violations:
        if violation.keyword in _BY_TYPE and violation.where:
            container = _at(data, violation.where[:-1])
            step = violation.where[-1]
            if (id(container), step) in readings:
                container[step] = readings.pop((id(container), step))
                changed = True
    return changed


def _at(data: Any, where: Where) -> Any:
    for step in where:
        data = data[step]
    return data
