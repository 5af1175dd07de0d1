"""Which region each local controller belongs to, for the global controller: that of its newest epoch.

A local controller moves when its file is changed and it restarts, with a newer epoch. Its old region
may learn of that late, or be offline; what it still reports of that controller is outdated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from pdsno_cli.model.messages import LocalCycle, Summary


class Home(NamedTuple):
    """The region of a local controller, and the newest epoch of which that is known."""

    region: str
    epoch: int


def moved(homes: Mapping[str, Home], summary: Summary) -> list[LocalCycle]:
    """Return the cycles in a summary of local controllers that moved from another region."""
    return [
        cycle
        for cycle in summary.locals
        if (home := homes.get(cycle.local_id)) is not None
        and home.region != summary.region
        and home.epoch < cycle.epoch
    ]


def timely(homes: Mapping[str, Home], summary: Summary, coming: Iterable[LocalCycle]) -> Summary:
    """Return a summary without the local controllers that belong to another region.

    Those that are ``coming`` to this one stay.
    """
    here = {cycle.local_id for cycle in coming}
    named = {cycle.local_id for cycle in summary.locals}
    named.update(item.local_id for item in (*summary.new, *summary.updated))
    named.update(item.local_id for item in summary.inactive)
    named.update(summary.whole)
    gone = {
        name
        for name in named - here
        if (home := homes.get(name)) is not None and home.region != summary.region
    }
    return without(summary, gone)


def without(summary: Summary, gone: Collection[str]) -> Summary:
    """Return a summary without what it has of local controllers that are ``gone``."""
    if not gone:
        return summary
    return msgspec.structs.replace(
        summary,
        locals=tuple(item for item in summary.locals if item.local_id not in gone),
        new=tuple(item for item in summary.new if item.local_id not in gone),
        updated=tuple(item for item in summary.updated if item.local_id not in gone),
        inactive=tuple(item for item in summary.inactive if item.local_id not in gone),
        whole=tuple(name for name in summary.whole if name not in gone),
    )
