"""Says in sentences what follows from a plan beside its changes, such as devices that leave; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from pdsno_cli.model.roles import Role
from pdsno_cli.supervisor.changes import Change, FieldChange, Kind
from pdsno_cli.supervisor.effects import Effect

if TYPE_CHECKING:
    from pdsno_cli.spec.topology import Topology


def effects_of(
    before: Topology,
    after: Topology,
    changes: list[Change],
    fields: tuple[FieldChange, ...],
    devices: Mapping[str, int],
) -> Iterator[str]:
    """Yield what else follows, one sentence each."""
    replaced = [item.path for item in fields if item.effect is Effect.REPLACE]
    if replaced:
        yield f"{', '.join(replaced)}: every controller and the broker's clients start again"
    if any(item.path.startswith("lab.") for item in fields):
        yield "the lab's devices change"
    gone = {item.controller_id for item in changes if item.kind is Kind.REMOVE}
    for region in before.regions:
        if region not in after.regions:
            below = before.of_role(Role.LOCAL, region)
            count = sum(devices.get(item.controller_id, 0) for item in below)
            left = [item.controller_id for item in below if item.controller_id in gone]
            gone -= set(left)
            yield (
                f"region {region} ends: removes its policy, "
                f"{_count(len(left), 'local controller')} and {_count(count, 'device')}"
            )
    for name in sorted(gone):
        if before.controllers[name].role is Role.LOCAL:
            count = devices.get(name, 0)
            yield f"{name} ends: removes {_count(count, 'device')} from the inventory"
    for item in changes:
        if item.kind is Kind.MOVE and item.role is Role.LOCAL:
            count = devices.get(item.controller_id, 0)
            was = before.controllers[item.controller_id].region
            yield (
                f"{item.controller_id} moves: removes {_count(count, 'device')} from {was} "
                f"until found again in {item.region}"
            )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
