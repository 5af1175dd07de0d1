"""Judges what a policy says, whoever says it: a file, an order, a publisher, a store; pure.

The bounds are those of a topology file. A policy's signature proves who sent it, not that it makes
sense: everybody who takes a policy asks here first, and goes on as before if it does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.model.durations import DAY, SHORTEST
from pdsno_cli.model.horizon import is_ahead
from pdsno_cli.model.probes import PROTOCOLS
from pdsno_cli.model.targets import TOO_MANY, AddressSet, parse_target
from pdsno_cli.model.topics import GLOBAL

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from pdsno_cli.model.messages import PolicyDocument

MOST_MISSED_CYCLES = 1000  # as the schema of the topology has it

Targets = tuple[str, ...]


def problem(
    document: PolicyDocument, declared: Mapping[str, Targets], now: float, only: str | None = None
) -> str | None:
    """Return why no controller can go by a policy, as one sentence; None where all is well.

    ``declared`` has the targets that the topology file gives to local controllers, by id; where
    ``only`` names one, the others' are not held against it: theirs may be a newer file. ``now`` is
    in Unix seconds.
    """
    interval, protocols, missed = (
        document.scan_interval,
        document.protocols,
        document.missed_cycles,
    )
    ahead = version_problem(document.version, now)
    if ahead is not None:
        return ahead
    if interval is not None and not SHORTEST <= interval <= DAY:
        return f"a scan interval of {interval:g} s is out of bounds"
    if protocols is not None and (not protocols or not set(protocols) <= set(PROTOCOLS)):
        named = ", ".join(map(repr, protocols)) or "(none)"
        return f"the protocols {named} are not among {', '.join(PROTOCOLS)}"
    if missed == 0:
        return "a device would be inactive after 0 missed cycles"
    if missed is not None and missed > MOST_MISSED_CYCLES:
        return f"{missed} missed cycles are more than {MOST_MISSED_CYCLES}"
    if document.targets is not None and document.scope == GLOBAL:
        return "a global policy gives no targets: its region's does"
    for local_id, targets in (document.targets or {}).items():
        own = declared.get(local_id, ())
        if targets == own:
            continue  # which lint has judged
        found = target_problem(local_id, targets, own if only in (None, local_id) else None)
        if found is not None:
            return found
    return None


def version_problem(version: int, now: float) -> str | None:
    """Return why a version is none that a publisher gives, None where it may be one."""
    if not is_ahead(version, now):
        return None
    return f"its version {version} is {version - now:.0f} s ahead of the clock"


def unknown_local(document: PolicyDocument, declared: Container[str]) -> str | None:
    """Return which controller a policy gives targets to, although its region has none such."""
    for local_id in document.targets or {}:
        if local_id not in declared:
            return f"{document.scope} has no local controller {local_id!r}"
    return None


def target_problem(local_id: str, targets: Targets, declared: Targets | None) -> str | None:
    """Return why a local controller cannot be given these targets, None where it can.

    A policy chooses among those that the file declares, which are known unless None: only they
    were judged against what other controllers discover.
    """
    try:
        wanted = AddressSet(map(parse_target, targets))
    except ValueError as exc:
        return str(exc)
    if len(wanted) > TOO_MANY:
        return f"{local_id} would have {len(wanted):,} addresses to discover"
    if declared is None:
        return None
    stranger = wanted.beyond(AddressSet.of(declared))
    if stranger is not None:
        return f"{stranger} is not among the targets that the topology file gives to {local_id}"
    return None
