"""Which region each local controller is of, as the top knows it: that of its newest epoch.

A local controller moves when its file says so and it starts anew, with a newer epoch. Its old region
may hear of that late, or be away: what it still says of that controller is out of date.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pdsno_cli.model.messages import LocalCycle, Summary


class Home(NamedTuple):
    """The region of a local controller, and the newest epoch of which that is known."""

    region: str
    epoch: int


def moved(homes: Mapping[str, Home], summary: Summary) -> list[LocalCycle]:
    """Return the cycles in a summary of local controllers that have come from another region."""
    return [
        cycle
        for cycle in summary.locals
        if (home := homes.get(cycle.local_id)) is not None
        and home.region != summary.region
        and home.epoch < cycle.epoch
    ]


def timely(homes: Mapping[str, Home], summary: Summary, coming: Iterable[LocalCycle]) -> Summary:
    """Return a summary without what it says of local controllers that are of another region.

    Those that are ``coming`` to this one stay.
    """
    here = {cycle.local_id for cycle in coming}
    told = {cycle.local_id for cycle in summary.locals}
    told.update(item.local_id for item in (*summary.new, *summary.updated))
    told.update(item.local_id for item in summary.inactive)
    gone = {
        name
        for name in told - here
        if (home := homes.get(name)) is not None and home.region != summary.region
    }
    if not gone:
        return summary
    return msgspec.structs.replace(
        summary,
        locals=tuple(item for item in summary.locals if item.local_id not in gone),
        new=tuple(item for item in summary.new if item.local_id not in gone),
        updated=tuple(item for item in summary.updated if item.local_id not in gone),
        inactive=tuple(item for item in summary.inactive if item.local_id not in gone),
    )
