"""Reads the policy versions of all controllers from the stores in a state directory.

A controller's own store has the version that it applied. For controllers on other machines the
global controller's store has their ``policy_applied`` events.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from pdsno_cli.controllers.policy import concerned, scopes
from pdsno_cli.model.roles import Role
from pdsno_cli.nib.database import MissingStoreError
from pdsno_cli.nib.reader import open_reader
from pdsno_cli.runtime.stores import database_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pdsno_cli.nib.rows import AppliedRecord, PolicyRecord
    from pdsno_cli.runtime.state_dir import StateDir
    from pdsno_cli.spec.topology import Topology


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyStatus:
    """The version that one controller applied in one scope; ``since`` in Unix seconds.

    ``version`` and ``wanted``, the publisher's version, are None if unknown.
    """

    controller_id: str
    scope: str
    version: int | None = None
    wanted: int | None = None
    since: float | None = None
    source: Literal["store", "event"] | None = None


def in_force(topology: Topology, state: StateDir, scope: str) -> PolicyRecord | None:
    """Return a scope's policy from its publisher's store, else the newest in any store here."""
    publisher, *others = (item.controller_id for item in concerned(topology, scope))
    found = _records(topology, state, publisher, [scope]).get(scope)
    if found is not None:
        return found
    known = [_records(topology, state, name, [scope]).get(scope) for name in others]
    return max(
        (item for item in known if item is not None),
        key=lambda item: item.document.version,
        default=None,
    )


def policy_statuses(topology: Topology, state: StateDir) -> list[PolicyStatus]:
    """Return the status of every controller, scope by scope, the widest first."""
    wide = scopes(topology)
    own = {name: _records(topology, state, name, wide) for name in topology.controllers}
    events = _events(topology, state)
    result: list[PolicyStatus] = []
    for scope in wide:
        names = [item.controller_id for item in concerned(topology, scope)]
        rows = [_status(name, scope, own[name].get(scope), events) for name in names]
        versions = [item.version for item in rows if item.version is not None]
        wanted = rows[0].version or max(versions, default=None)  # the first is the publisher
        result += [replace(item, wanted=wanted) for item in rows]
    return result


def _status(
    name: str,
    scope: str,
    record: PolicyRecord | None,
    events: dict[tuple[str, str], AppliedRecord],
) -> PolicyStatus:
    event = events.get((name, scope))
    if record is not None:
        return PolicyStatus(controller_id=name, scope=scope, version=record.document.version,
                        since=record.since, source="store")  # fmt: skip
    if event is not None:
        return PolicyStatus(controller_id=name, scope=scope, version=event.version, since=event.at,
                        source="event")  # fmt: skip
    return PolicyStatus(controller_id=name, scope=scope)


def _events(topology: Topology, state: StateDir) -> dict[tuple[str, str], AppliedRecord]:
    """Return the events in the global controller's store, by controller and scope."""
    with suppress(MissingStoreError):
        top = topology.of_role(Role.GLOBAL)[0].controller_id
        with open_reader(database_of(topology, state, top)) as store:
            return {(item.controller_id, item.scope): item for item in store.applied()}
    return {}


def _records(
    topology: Topology, state: StateDir, name: str, wanted: Iterable[str]
) -> dict[str, PolicyRecord]:
    """Return the policies in a controller's own store, by scope; empty without a store."""
    with suppress(MissingStoreError), open_reader(database_of(topology, state, name)) as store:
        found = {scope: store.policy(scope) for scope in wanted}
        return {scope: record for scope, record in found.items() if record is not None}
    return {}
