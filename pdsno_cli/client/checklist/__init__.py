"""The checks of ``pdsno check``: whether a running plane does what it is there for, end to end.

A check is a function of a ``Plane`` that yields ``Finding``s, as a check of the doctor is: see
``client.doctor``. What is on its way when the checklist begins has ``Plane.timeout`` to arrive.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pdsno_cli.client.checklist.plane import Plane
    from pdsno_cli.client.doctor.finding import Finding

# In the order of the output: from the broker upwards.
CHECKS = (
    ("transport", "check_broker"),
    ("transport", "check_round_trip"),
    ("controllers", "check_controllers"),
    ("reports", "check_reports"),
    ("reports", "check_summaries"),
    ("contents", "check_policy"),
    ("contents", "check_inventories"),
    ("contents", "check_messages"),
    ("fallback", "check_fallback"),
)


def run_checklist(plane: Plane) -> Iterator[Finding]:
    """Yield the findings of every check."""
    from pdsno_cli.client.doctor import examine

    return examine(plane, CHECKS, __name__)
