"""Whether what each local controller reports reaches its region, and from there the top.

The stores of the parents have the last committed cycle of each local controller. It is compared with
the last cycle that the controller had ended when the check began.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from pdsno_cli.client.checklist.plane import some
from pdsno_cli.client.doctor.finding import Finding
from pdsno_cli.model.roles import Role
from pdsno_cli.nib.database import MissingStoreError
from pdsno_cli.nib.reader import open_reader
from pdsno_cli.runtime.stores import database_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pdsno_cli.client.checklist.plane import Plane
    from pdsno_cli.spec.topology import Controller

Cycles = dict[str, tuple[int, int]]  # epoch and cycle of each local controller


def check_reports(plane: Plane) -> Iterator[Finding]:
    """Compare the last cycle of each local controller with what its region has committed."""
    ended = _last_cycles(plane)
    here, absent = _regions(plane)
    yield from _absent("reports", absent)
    wanted = {
        region: {spec.controller_id: ended[spec.controller_id] for spec in _locals(plane, region)}
        for region in here
    }
    known = sum(map(len, wanted.values()))
    if not known:
        yield Finding(check="reports", verdict="skip", text="there is no local controller")
        return

    def look() -> dict[str, str]:
        late: dict[str, str] = {}
        _refresh(plane, wanted)
        for region, parent in here.items():
            late |= missing(wanted[region], _cycles(plane, parent) or {})
        return late

    late = plane.poll(look, lambda seen: not seen)
    what = "last cycle" if plane.report is not None else "a cycle"
    text = f"{what} of {known - len(late)} of {known} locals is in its region"
    if not late:
        yield Finding(check="reports", verdict="ok", text=text)
        return
    yield Finding(
        check="reports",
        verdict="fail",
        text=f"{text}; not {some([f'{name} ({why})' for name, why in late.items()])}",
        hint=f"pdsno logs {plane.name} {next(iter(late))}; pdsno audit {plane.name}; "
        f"after a start, pdsno wait {plane.name} --for cycles=1",
        subjects=tuple(late),
    )


def _last_cycles(plane: Plane) -> Cycles:
    """Return epoch and cycle of each controller now; cycle 0 where none has ended."""
    return {row["id"]: (row["epoch"], row["cycle"]) for row in plane.rows()}


def _refresh(plane: Plane, wanted: dict[str, Cycles]) -> None:
    """Look again for the first cycle of those that had ended none."""
    if any(cycle == 0 for cycles in wanted.values() for _, cycle in cycles.values()):
        now = _last_cycles(plane)
        for cycles in wanted.values():
            cycles.update({name: now[name] for name, (_, cycle) in cycles.items() if cycle == 0})


def check_summaries(plane: Plane) -> Iterator[Finding]:
    """Compare what each region has committed with what the top has."""
    here, absent = _regions(plane)
    tops = [spec.controller_id for spec in plane.topology.of_role(Role.GLOBAL)]
    yield from _absent("summaries", [*absent, *(n for n in tops if _cycles(plane, n) is None)])
    wanted = {region: cycles for region, parent in here.items()
              if (cycles := _cycles(plane, parent))}  # fmt: skip
    if not wanted:
        text = "no region has committed a report"
        yield Finding(check="summaries", verdict="skip", text=text)
    for top in tops:
        if wanted and _cycles(plane, top) is not None:
            yield _summaries(plane, top, here, wanted)


def _summaries(
    plane: Plane, top: str, parents: Mapping[str, str], wanted: Mapping[str, Cycles]
) -> Finding:
    def look() -> list[str]:
        cycles = _cycles(plane, top) or {}
        return [region for region, own in wanted.items() if missing(own, cycles)]

    late = plane.poll(look, lambda seen: not seen)
    text = f"those of {len(wanted) - len(late)} of {len(wanted)} regions are at the top"
    if not late:
        return Finding(check="summaries", verdict="ok", text=text)
    names = tuple(parents[region] for region in late)
    return Finding(
        check="summaries",
        verdict="fail",
        text=f"{text}; not those of {some(names)}",
        hint=f"pdsno logs {plane.name} {names[0]}; pdsno audit {plane.name}",
        subjects=names,
    )


def missing(
    wanted: Mapping[str, tuple[int, int]], committed: Mapping[str, tuple[int, int]]
) -> dict[str, str]:
    """Return the local controllers whose wanted epoch and cycle is not committed, and why not."""
    found = {}
    for name, (epoch, cycle) in wanted.items():
        have = committed.get(name)
        if cycle == 0:
            found[name] = "no cycle has ended yet"
        elif have is None:
            found[name] = "nothing of it is committed"
        elif have < (epoch, cycle):
            last = f"cycle {have[1]}" if have[0] == epoch else "a cycle of an earlier start"
            found[name] = f"cycle {cycle} has ended, {last} is committed"
    return found


def _regions(plane: Plane) -> tuple[dict[str, str], list[str]]:
    """Return the regional controller of each region whose store is here, and those without one."""
    here: dict[str, str] = {}
    absent = []
    for spec in plane.topology.of_role(Role.REGIONAL):
        region = spec.region or ""
        if not _locals(plane, region) or region in here:
            continue
        if _cycles(plane, spec.controller_id) is None:
            absent.append(spec.controller_id)
        else:
            here[region] = spec.controller_id
    return here, absent


def _locals(plane: Plane, region: str) -> tuple[Controller, ...]:
    return plane.topology.of_role(Role.LOCAL, region)


def _cycles(plane: Plane, controller_id: str) -> Cycles | None:
    """Return the last committed cycles in a controller's store; None without a store here."""
    with (
        suppress(MissingStoreError),
        open_reader(database_of(plane.topology, plane.state, controller_id)) as store,
    ):
        return {item.local_id: (item.epoch, item.cycle) for item in store.cycles()}
    return None


def _absent(check: str, parents: list[str]) -> Iterator[Finding]:
    if parents:
        yield Finding(
            check=check,
            verdict="skip",
            text=f"no store of {some(parents)} on this machine",
            hint="run pdsno check where it is",
            subjects=tuple(parents),
        )
