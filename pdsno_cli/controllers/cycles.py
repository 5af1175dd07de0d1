"""When a local controller's cycles start and how they probe, from its discovery settings; pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pdsno_cli.discovery.pace import Pace
from pdsno_cli.model import blackouts
from pdsno_cli.model.address_numbers import is_ipv6
from pdsno_cli.model.targets import AddressSet

if TYPE_CHECKING:
    from pdsno_cli.model.devices import Known
    from pdsno_cli.spec.topology import Discovery

JITTER = 0.03  # of the interval, either way: hundreds that started together drift apart
THOROUGH = 10  # every such cycle, the first included, waits for silent targets to the ceiling


def targets(rules: Discovery) -> AddressSet:
    """Return the addresses to probe: the targets without those that are excluded."""
    wanted = AddressSet.of(rules.targets)
    return wanted.without(AddressSet.excluded(rules.exclude)) if rules.exclude else wanted


def pace(rules: Discovery, known: Iterable[Known], *, thorough: bool) -> Pace:
    """Return how fast and how patiently to probe; ``known`` devices are waited for in any case."""
    every = list(known)
    there = (item.device for item in every if item.active)
    return Pace(
        rate=rules.rate,
        floor=rules.timeout.floor,
        ceiling=rules.timeout.ceiling,
        devices=frozenset(
            address for item in every for address in item.device.addresses if is_ipv6(address)
        ),
        known=None if thorough else {a: item.protocols for item in there for a in item.addresses},
    )


def delay(interval: float, elapsed: float, chance: float) -> float:
    """Return the seconds until the next cycle, ``elapsed`` after the start of the last.

    ``chance`` is between -1 and 1; it decides where within the jitter the cycle starts.
    """
    return max(interval * (1.0 + JITTER * chance) - elapsed, 0.0)


def blackout(rules: Discovery, now: datetime) -> datetime | None:
    """Return when the blackout of ``now``, a local time, ends; None if there is none."""
    return blackouts.ends(tuple(map(blackouts.parse, rules.blackout)), now)


def next_blackout(rules: Discovery, now: datetime) -> timedelta | None:
    """Return the time until the next blackout begins; None without any."""
    begins = blackouts.begins(tuple(map(blackouts.parse, rules.blackout)), now)
    return None if begins is None else begins - now
