"""Follows one address through discovery: coverage, probes, identity, reports, every level's store.

A stage yields ``Finding``s, in a module beside this one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.client.doctor.finding import Finding
from pdsno_cli.client.trace.coverage import covering, trace_coverage
from pdsno_cli.client.trace.levels import trace_levels
from pdsno_cli.client.trace.probes import trace_probes
from pdsno_cli.controllers import cycles
from pdsno_cli.model import blackouts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pdsno_cli.runtime.state_dir import StateDir
    from pdsno_cli.spec.topology import Topology


def trace_address(
    topology: Topology, state: StateDir, address: str, *, probe: bool = True
) -> Iterator[Finding]:
    """Yield what each stage says of an address, in the order in which it passes them.

    ``probe`` asks the address, from this machine, with the protocols in force; never one that is
    excluded, and nothing in a blackout.
    """
    found, now = covering(topology, state, address), blackouts.local_now()
    yield from trace_coverage(topology, address, found, now)
    asking = next((item for item in found if not item.excludes(address)), None)
    if probe and asking is not None:
        if cycles.blackout(asking.rules, now) is None:
            yield from trace_probes(topology, address, asking)
        else:
            yield Finding(check="probes", verdict="skip", text="nothing is asked in a blackout")
    for local in found:
        yield from trace_levels(topology, state, address, local.controller_id)
