"""What it takes to get from the topology that runs to another one; pure.

Each controller has one change at most. ``make_plan`` is given no file and no process, only two resolved
topologies (the old one is None where nothing runs) and the number of devices that each controller has::

    plan = make_plan(running, resolve_secrets(topology, salt), devices={"lc1": 30})
    if plan.changes or plan.fields: ...
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pdsno_cli.delivery.subscriptions import qos
from pdsno_cli.model.addresses import is_loopback, parse_address
from pdsno_cli.model.roles import Role
from pdsno_cli.spec.resolved import plane_hash
from pdsno_cli.supervisor.changes import Change, FieldChange, Kind
from pdsno_cli.supervisor.effects import Effect, leaves
from pdsno_cli.supervisor.side_effects import effects_of

if TYPE_CHECKING:
    from pdsno_cli.spec.resolved import Resolved
    from pdsno_cli.spec.topology import Controller, Topology


_OF_EFFECT = {Effect.LIVE: Kind.LIVE, Effect.RESTART: Kind.RESTART, Effect.REPLACE: Kind.REPLACE}
_STRONGEST_FIRST = (Kind.REPLACE, Kind.MOVE, Kind.RESTART, Kind.LIVE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The changes of controllers, parents first, and the fields that are no controller's own.

    ``effects`` says in sentences what else follows. ``token`` stands for both sides.
    """

    topology: str
    running: bool
    changes: tuple[Change, ...]
    fields: tuple[FieldChange, ...]
    effects: tuple[str, ...]
    token: str

    @property
    def empty(self) -> bool:
        """Return True if nothing is to be done, not even to be noted."""
        return not (self.changes or self.fields)

    @property
    def replaces_all(self) -> bool:
        """Return True if the whole plane starts again."""
        return any(item.effect is Effect.REPLACE for item in self.fields)

    def of(self, *kinds: Kind) -> list[Change]:
        """Return the changes of these kinds, parents first."""
        return [item for item in self.changes if item.kind in kinds]


def make_plan(
    old: Resolved | None,
    new: Resolved,
    *,
    generation: str = "",
    devices: Mapping[str, int] | None = None,
    again: Mapping[str, str] | None = None,
) -> Plan:
    """Return the plan; ``generation`` names the state of what runs, beside its topology.

    Controllers of ``again`` do not run as they should, for the reasons there: they are restarted.
    """
    topology = new.topology
    if old is None:
        changes = [_change(item, Kind.ADD) for item in topology.controllers.values()]
        fields: tuple[FieldChange, ...] = ()
        effects: tuple[str, ...] = ()
    else:
        fields = (*_differences(old, new), *_of_regions(old, new))
        changes = list(_Comparison(old, new, fields, again or {}).changes())
        effects = tuple(effects_of(old.topology, topology, changes, fields, devices or {}))
    sides = (generation, "" if old is None else plane_hash(old), plane_hash(new))
    order = list(Role)
    return Plan(
        topology=topology.name,
        running=old is not None,
        changes=tuple(sorted(changes, key=lambda item: order.index(item.role))),
        fields=fields,
        effects=effects,
        token=hashlib.sha256("\n".join(sides).encode()).hexdigest()[:16],
    )


def _change(spec: Controller, kind: Kind) -> Change:
    return Change(controller_id=spec.controller_id, role=spec.role, region=spec.region, kind=kind)


def _differences(old: Resolved, new: Resolved) -> Iterator[FieldChange]:
    """Yield the fields of the topology itself that differ."""
    yield from _compare(leaves(old.topology, old), leaves(new.topology, new))


def _of_regions(old: Resolved, new: Resolved) -> Iterator[FieldChange]:
    """Yield the fields of regions that differ, and regions that come or go."""
    before, after = old.topology.regions, new.topology.regions
    for name in dict.fromkeys((*before, *after)):
        path = f"regions.{name}"
        if name in before and name in after:
            yield from _compare(
                leaves(before[name], old, f"{path}."), leaves(after[name], new, f"{path}.")
            )
        else:
            here, there = ("declared" if name in regions else None for regions in (before, after))
            yield FieldChange(path=path, old=here, new=there, effect=Effect.LIVE)


def _compare(
    before: Mapping[str, tuple[str, Effect]], after: Mapping[str, tuple[str, Effect]]
) -> Iterator[FieldChange]:
    for path in dict.fromkeys((*before, *after)):
        old, effect = before.get(path, (None, Effect.RECORD))
        new, newer = after.get(path, (None, Effect.RECORD))
        if old != new:
            yield FieldChange(path=path, old=old, new=new, effect=max(effect, newer))


class _Comparison:
    """The changes of every controller: its own fields, and what other changes ask of it."""

    def __init__(
        self,
        old: Resolved,
        new: Resolved,
        fields: tuple[FieldChange, ...],
        again: Mapping[str, str],
    ) -> None:
        self._old, self._new = old, new
        self._before, self._after = old.topology, new.topology
        self._replaced = [item.path for item in fields if item.effect is Effect.REPLACE]
        self._fields: dict[str, tuple[FieldChange, ...]] = {}
        self._asked: dict[str, dict[str, Kind]] = {}  # by id: reasons
        self._orphans: set[str] = set()  # those with another parent than before
        self._staying = [
            name for name in self._after.controllers if name in self._before.controllers
        ]
        for name in self._staying:
            self._fields[name] = tuple(self._own(name))
        for name, reason in again.items():
            self._ask(name, Kind.RESTART, reason)
        self._everywhere(fields)
        self._policies(fields)
        self._neighbours()

    def changes(self) -> Iterator[Change]:
        """Yield one change for each controller that has one."""
        for name in dict.fromkeys((*self._before.controllers, *self._after.controllers)):
            if name not in self._after.controllers:
                yield _change(self._before.controllers[name], Kind.REMOVE)
            elif name not in self._before.controllers:
                yield _change(self._after.controllers[name], Kind.ADD)
            else:
                yield from self._staying_change(name)

    def _staying_change(self, name: str) -> Iterator[Change]:
        spec, fields, asked = self._after.controllers[name], self._fields[name], self._asked
        reasons = dict(asked.get(name, {}))
        kinds = [*reasons.values()]
        kinds += [_OF_EFFECT[item.effect] for item in fields if item.effect in _OF_EFFECT]
        if self._replaced:
            reasons = {f"{', '.join(self._replaced)} changes": Kind.REPLACE}
            kinds = [Kind.REPLACE]
        elif self._before.controllers[name].role is not spec.role:
            kinds = [Kind.REPLACE]
        elif self._before.controllers[name].region != spec.region:
            kinds = [Kind.MOVE]
        if kinds:
            kind = next(item for item in _STRONGEST_FIRST if item in kinds)
            yield Change(
                controller_id=name,
                role=spec.role,
                region=spec.region,
                kind=kind,
                fields=fields,
                because=tuple(text for text, asks in reasons.items() if asks is kind),
                new_parent=name in self._orphans,
            )

    def _own(self, name: str) -> Iterator[FieldChange]:
        prefix = f"controllers.{name}."
        yield from _compare(
            leaves(self._before.controllers[name], self._old, prefix),
            leaves(self._after.controllers[name], self._new, prefix),
        )

    def _ask(self, name: str, kind: Kind, reason: str) -> None:
        if name in self._staying:
            self._asked.setdefault(name, {})[reason] = kind

    def _everywhere(self, fields: tuple[FieldChange, ...]) -> None:
        """Ask every controller for what concerns all: limits, rules of topics, transports."""
        asked: dict[str, Kind] = {}
        for item in fields:
            shared = item.path.startswith(("topics.", "outbox.", "fallbacks"))
            if shared and item.effect in (Effect.LIVE, Effect.RESTART):
                asked[f"{item.path} changes"] = _OF_EFFECT[item.effect]
        if qos(self._before) != qos(self._after):
            asked["subscriptions get another QoS"] = Kind.RESTART
        if _on_loopback(self._before) != _on_loopback(self._after):
            asked["addresses of controllers' own come or go"] = Kind.RESTART
        for name in self._staying:
            for reason, kind in asked.items():
                self._ask(name, kind, reason)

    def _policies(self, fields: tuple[FieldChange, ...]) -> None:
        """Ask those who publish a policy that the file changes."""
        paths = [item.path for item in fields if item.effect is Effect.LIVE]
        if any(path.startswith("policy.") for path in paths):
            for spec in self._after.of_role(Role.GLOBAL):
                self._ask(spec.controller_id, Kind.LIVE, "it publishes the global policy")
        for spec in self._after.of_role(Role.REGIONAL):
            prefix = f"regions.{spec.region}.policy."
            if any(path.startswith(prefix) for path in paths):
                self._ask(spec.controller_id, Kind.LIVE, "it publishes the policy of its region")

    def _neighbours(self) -> None:
        """Ask parents of controllers that come, go, move or change, and children of such parents."""
        before, after = self._before, self._after
        for name in dict.fromkeys((*before.controllers, *after.controllers)):
            specs = (before.controllers.get(name), after.controllers.get(name))
            if specs[0] is not None and specs[1] is not None and not self._concerns_parents(name):
                continue
            for topology, spec in zip((before, after), specs, strict=True):
                if spec is not None:
                    for parent in _above(topology, spec):
                        self._ask(parent, Kind.LIVE, _why(name, *specs))
        for name in self._staying:
            spec, was = after.controllers[name], before.controllers[name]
            if spec.region == was.region and spec.role is was.role:
                self._parents_of(name, spec, was)

    def _concerns_parents(self, name: str) -> bool:
        """Return True if parents need to know of a change: place, targets or heartbeat."""
        tails = (".role", ".region", ".discovery.targets", ".heartbeat")
        return any(item.path.endswith(tails) for item in self._fields[name])

    def _parents_of(self, name: str, spec: Controller, was: Controller) -> None:
        old = {item: self._before.controllers[item].address for item in _above(self._before, was)}
        new = {item: self._after.controllers[item].address for item in _above(self._after, spec)}
        if old != new:
            # Who may publish to it changes, and with HTTP also whom it connects to.
            kind = Kind.RESTART if self._after.uses("http") else Kind.LIVE
            self._ask(name, kind, f"above it: {', '.join(new) or 'nobody'}")
            # A local controller's reports are for its regional one alone.
            above = Role.REGIONAL if spec.role is Role.LOCAL else Role.GLOBAL
            if any(self._after.controllers[item].role is above for item in new.keys() - old.keys()):
                self._orphans.add(name)


def _why(name: str, was: Controller | None, now: Controller | None) -> str:
    if was is None:
        return f"{name} is added"
    if now is None:
        return f"{name} is removed"
    return f"{name} moves" if was.region != now.region else f"{name} changes"


def _above(topology: Topology, spec: Controller) -> list[str]:
    """Return the controllers that ``spec`` reports to: of its region, and the global one."""
    if spec.role is Role.GLOBAL:
        return []
    found = list(topology.of_role(Role.GLOBAL))
    if spec.role is Role.LOCAL:
        found += topology.of_role(Role.REGIONAL, spec.region)
    return [item.controller_id for item in found]


def _on_loopback(topology: Topology) -> bool:
    """Return True if no controller declares an address off loopback."""
    declared = [item.address for item in topology.controllers.values() if item.address is not None]
    return all(is_loopback(parse_address(text, 0).host) for text in declared)
