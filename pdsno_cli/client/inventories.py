"""Compares what each level of a topology holds of each local controller, store against store."""

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

PATIENCE = 5.0  # seconds in which a difference between two levels of a running topology may pass
_PAUSE = 0.25  # seconds between two looks

Verdict = Literal["equal", "on its way", "differs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """What is held of one local controller: by itself, by its region, at the top.

    None where that store is not here. What its region or the top lacks is ``on_its_way`` while
    messages wait in between.
    """

    local_id: str
    region: str
    local: Contents | None
    regional: Contents | None
    top: Contents | None
    on_its_way: bool

    @property
    def verdict(self) -> Verdict:
        """Whether all levels hold the same."""
        if len({held for held in (self.local, self.regional, self.top) if held is not None}) <= 1:
            return "equal"
        return "on its way" if self.on_its_way else "differs"


def inventories(topology: Topology, state: StateDir, *, patience: float) -> list[Inventory]:
    """Return the inventory of each local controller, by region and id.

    A topology at work changes while its stores are read one after another: a difference is
    looked at again for ``patience`` seconds.
    """
    deadline = time.monotonic() + patience
    while True:
        found = _look(topology, state)
        if all(item.verdict == "equal" for item in found) or time.monotonic() >= deadline:
            return found
        time.sleep(_PAUSE)


@dataclass(frozen=True, slots=True)
class _Store:
    """What one store holds, and the streams of which something waits in it."""

    held: dict[str, Contents]
    waiting: frozenset[str]

    def of(self, local_id: str) -> Contents:
        return self.held.get(local_id, NOTHING)


def _look(topology: Topology, state: StateDir) -> list[Inventory]:
    """Read the lower stores before the upper ones: what comes in between is above, not lost."""
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
        # Others, which only their own file names, are the region's as well.
        for local_id in sorted(declared | (store.held.keys() if store is not None else set())):
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
