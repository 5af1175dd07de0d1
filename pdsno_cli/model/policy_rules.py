"""Checks the content of a policy from a file, a command, a publisher or a store; pure.

The bounds are those of a topology file. A signature proves the sender of a policy, not that its
content is valid: every receiver checks it here, and keeps its current policy if the check fails.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.model.durations import DAY, SHORTEST
from pdsno_cli.model.epochs import SLACK
from pdsno_cli.model.probes import PROTOCOLS
from pdsno_cli.model.targets import TOO_MANY, AddressSet, parse_target
from pdsno_cli.model.topics import GLOBAL

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from pdsno_cli.model.messages import PolicyDocument

MOST_MISSED_CYCLES = 1000  # as in the schema of the topology

Targets = tuple[str, ...]


def problem(
    document: PolicyDocument, declared: Mapping[str, Targets], now: float, only: str | None = None
) -> str | None:
    """Return why a policy is invalid, as one sentence; None if it is valid.

    ``declared`` are the targets of local controllers in the topology file, by id. With ``only``,
    those of other controllers are not compared, since theirs may be a newer file. ``now`` is in
    Unix seconds.
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
        return "a global policy cannot have targets: use a region's policy"
    for local_id, targets in (document.targets or {}).items():
        own = declared.get(local_id, ())
        if targets == own:
            continue  # checked by lint
        found = target_problem(local_id, targets, own if only in (None, local_id) else None)
        if found is not None:
            return found
    return None


def version_problem(version: int, now: float) -> str | None:
    """Return why a version is invalid, None if it is valid."""
    if version <= now + SLACK:
        return None
    return f"its version {version} is {version - now:.0f} s ahead of the clock"


def unknown_local(document: PolicyDocument, declared: Container[str]) -> str | None:
    """Return a sentence if a policy has targets for a controller that its region lacks."""
    for local_id in document.targets or {}:
        if local_id not in declared:
            return f"{document.scope} has no local controller {local_id!r}"
    return None


def target_problem(local_id: str, targets: Targets, declared: Targets | None) -> str | None:
    """Return why these targets are invalid for a local controller, None if they are valid.

    A policy selects among the ``declared`` targets (None if unknown): only they were checked
    against those of other controllers.
    """
    try:
        wanted = AddressSet(map(parse_target, targets))
    except ValueError as exc:
        return str(exc)
    if len(wanted) > TOO_MANY:
        return f"{local_id} would have {len(wanted):,} addresses to discover"
    if declared is None:
        return None
    foreign = wanted.beyond(AddressSet.of(declared))
    if foreign is not None:
        return f"{foreign} is not among the declared targets of {local_id}"
    return None
