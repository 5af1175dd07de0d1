"""Which local controllers discover an address, and what keeps it from being asked."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pdsno_cli.client.doctor.finding import Finding
from pdsno_cli.controllers import cycles, policy
from pdsno_cli.model.address_numbers import address_number
from pdsno_cli.model.durations import format_duration
from pdsno_cli.model.roles import Role
from pdsno_cli.model.targets import AddressRange, AddressSet
from pdsno_cli.model.topics import GLOBAL
from pdsno_cli.nib.database import MissingStoreError
from pdsno_cli.nib.reader import open_reader
from pdsno_cli.runtime.stores import database_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from pdsno_cli.model.messages import PolicyDocument
    from pdsno_cli.runtime.state_dir import StateDir
    from pdsno_cli.spec.topology import Discovery, Topology


@dataclass(frozen=True, slots=True, kw_only=True)
class Covering:
    """A local controller that covers an address, with the rules in force there.

    ``versions`` names the policies that they come from, empty where only the file is known.
    """

    controller_id: str
    region: str
    rules: Discovery
    versions: tuple[str, ...]

    def excludes(self, address: str) -> bool:
        """Return True if the local controller never probes the address."""
        return address in AddressSet.excluded(self.rules.exclude)


def covering(topology: Topology, state: StateDir, address: str) -> list[Covering]:
    """Return the local controllers whose targets contain an address."""
    found = []
    for spec in topology.of_role(Role.LOCAL):
        if spec.region is None:
            continue
        documents = _policies(topology, state, spec.controller_id, spec.region)
        rules = policy.effective(spec.discovery, documents, spec.controller_id)
        if address in AddressSet.of(rules.targets):
            versions = tuple(f"{item.scope} version {item.version}" for item in documents)
            found.append(
                Covering(
                    controller_id=spec.controller_id,
                    region=spec.region,
                    rules=rules,
                    versions=versions,
                )
            )
    return found


def _policies(
    topology: Topology, state: StateDir, controller_id: str, region: str
) -> list[PolicyDocument]:
    """Return the policies that a controller's store has; else those that the file declares."""
    with (
        suppress(MissingStoreError),
        open_reader(database_of(topology, state, controller_id)) as store,
    ):
        records = [store.policy(scope) for scope in (GLOBAL, region)]
        return [record.document for record in records if record is not None]
    return [
        policy.global_document(topology, 0),
        policy.regional_document(topology, region, 0),
    ]


def trace_coverage(
    topology: Topology, address: str, found: Sequence[Covering], now: datetime
) -> Iterator[Finding]:
    """Yield which local controllers cover the address, and probe it at ``now``, a local time."""
    if not found:
        declared = [
            spec.controller_id
            for spec in topology.of_role(Role.LOCAL)
            if address in AddressSet.of(spec.discovery.targets)
        ]
        if declared:
            yield Finding(
                check="coverage",
                verdict="fail",
                text=f"the file gives {address} to {declared[0]}, the policy in force does not",
                hint="pdsno policy show",
            )
        else:
            yield Finding(
                check="coverage",
                verdict="fail",
                text=f"no local controller has {address} among its targets",
                hint="add it to discovery.targets of a local controller",
            )
        return
    for item in found:
        rules = item.rules
        text = (
            f"{item.controller_id} in region {item.region}: every {format_duration(rules.interval)} "
            f"by {', '.join(rules.protocols)}"
        )
        if item.versions:
            text += f" (policy {', '.join(item.versions)})"
        yield Finding(check="coverage", verdict="ok", text=text)
        wanted = AddressSet.of(rules.targets)
        number = address_number(address)
        if wanted.index_of(number) is None:
            (link,) = AddressRange(number, number).links()
            yield Finding(
                check="neighbour",
                verdict="ok",
                text=f"{address} is asked as a neighbour on {link}: if it answers the echo to all "
                "nodes, is in the kernel's neighbour table, or is a known device",
            )
        if item.excludes(address):
            yield Finding(
                check="exclude",
                verdict="fail",
                text=f"{item.controller_id} never probes {address}: it is in discovery.exclude",
                hint="take it out of discovery.exclude to have it found",
            )
        over = cycles.blackout(rules, now)
        if over is not None:
            yield Finding(
                check="blackout",
                verdict="warn",
                text=f"no cycle of {item.controller_id} starts before {over:%Y-%m-%d %H:%M}",
                hint="discovery.blackout has the times",
            )
    if len(found) > 1:
        names = ", ".join(item.controller_id for item in found)
        yield Finding(
            check="coverage",
            verdict="warn",
            text=f"{len(found)} local controllers cover it: {names}",
            hint="it is one device for each of them, unless an engine id or serial number joins them",
        )
