"""Compares the inventories of each local controller at all levels, store against store."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pdsno_cli.model.roles import Role
from pdsno_cli.nib.contents import NOTHING, Contents
from pdsno_cli.nib.database import MissingStoreError
from pdsno_cli.nib.reader import open_reader
from pdsno_cli.runtime.stores import database_of

if TYPE_CHECKING:
    from pdsno_cli.runtime.state_dir import StateDir
    from pdsno_cli.spec.topology import Topology

TIMEOUT = 5.0  # seconds in which two levels of a running topology may become equal
_INTERVAL = 0.25  # seconds between two comparisons

Verdict = Literal["equal", "on its way", "differs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """The contents of one local controller's inventory: its own, its region's, the top's.

    None for a store on another machine. A difference is ``on_its_way`` while messages wait in an
    outbox in between.
    """

    local_id: str
    region: str
    local: Contents | None
    regional: Contents | None
    top: Contents | None
    on_its_way: bool

    @property
    def verdict(self) -> Verdict:
        """The comparison of all levels."""
        if len({item for item in (self.local, self.regional, self.top) if item is not None}) <= 1:
            return "equal"
        return "on its way" if self.on_its_way else "differs"


def inventories(topology: Topology, state: StateDir, *, timeout: float) -> list[Inventory]:
    """Return the inventory of each local controller, by region and id.

    A running topology changes while its stores are read one after another: differing levels are
    compared again for ``timeout`` seconds.
    """
    deadline = time.monotonic() + timeout
    while True:
        found = _compare(topology, state)
        if all(item.verdict == "equal" for item in found) or time.monotonic() >= deadline:
            return found
        time.sleep(_INTERVAL)


@dataclass(frozen=True, slots=True)
class _Store:
    """The contents of one store, by local controller, and the streams with messages in its outbox."""

    contents: dict[str, Contents]
    waiting: frozenset[str]

    def of(self, local_id: str) -> Contents:
        return self.contents.get(local_id, NOTHING)


def _compare(topology: Topology, state: StateDir) -> list[Inventory]:
    """Read the lower stores first: messages committed meanwhile are then above, not missing."""
    topics = topology.topics
    own = {
        spec.controller_id: _read(topology, state, spec.controller_id)
        for spec in topology.of_role(Role.LOCAL)
    }
    regional = {
        region: spec.controller_id
        for region in topology.regions
        for spec in topology.of_role(Role.REGIONAL, region)[:1]
    }
    regions = {region: _read(topology, state, name) for region, name in regional.items()}
    top = next(
        (_read(topology, state, s.controller_id) for s in topology.of_role(Role.GLOBAL)), None
    )
    found = []
    for region, store in regions.items():
        declared = {spec.controller_id for spec in topology.of_role(Role.LOCAL, region)}
        # Local controllers of another topology file belong to the region as well.
        for local_id in sorted(declared | (store.contents.keys() if store is not None else set())):
            local = own.get(local_id)
            report = topics.stream(topics.discovery(region, local_id))
            summary = topics.stream(topics.summary(region, regional[region]))
            found.append(
                Inventory(
                    local_id=local_id,
                    region=region,
                    local=None if local is None else local.of(local_id),
                    regional=None if store is None else store.of(local_id),
                    top=None if top is None else top.of(local_id),
                    on_its_way=(local is not None and report in local.waiting)
                    or (store is not None and summary in store.waiting),
                )
            )
    return found


def _read(topology: Topology, state: StateDir, controller_id: str) -> _Store | None:
    with (
        suppress(MissingStoreError),
        open_reader(database_of(topology, state, controller_id)) as store,
    ):
        waiting = frozenset(store.outbox_streams())
        return _Store(store.contents(), waiting)
    return None
