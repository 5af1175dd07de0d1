"""One discovery without a topology: a sweep, and why nothing answered."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pdsno_cli.discovery.pace import Pace
from pdsno_cli.discovery.progress import Progress
from pdsno_cli.discovery.sweep import SweepResult, sweep
from pdsno_cli.model.address_numbers import is_ipv6
from pdsno_cli.model.probes import FACTS
from pdsno_cli.model.targets import AddressRange, AddressSet
from pdsno_cli.spec.topology import Snmp

_SNMP = "snmp"
_SAMPLES = 64  # ranges whose route is looked up


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to ask: ``targets`` without the excluded ones; secrets of ``snmp`` are resolved.

    ``rate`` is in packets a second of each protocol, None for those of the registry.
    """

    targets: AddressSet
    protocols: tuple[str, ...]
    snmp: Snmp
    rate: float | None = None

    @property
    def links(self) -> list[str]:
        """The /64 prefixes of links whose neighbours are asked, whichever they are."""
        return list(dict.fromkeys(name for item in self.targets.wide for name in item.links()))


def scan(
    plan: Plan, cancel: threading.Event, progress: Mapping[str, Progress] | None = None
) -> SweepResult:
    """Sweep once; ``progress`` has one for each protocol that is watched."""
    pace = Pace(rate=plan.rate)
    return sweep(plan.targets, plan.protocols, plan.snmp, cancel, pace=pace, progress=progress)


def reasons(plan: Plan, result: SweepResult) -> Iterator[str]:
    """Yield why protocols found nothing, or could not be used, as far as that can be known."""
    answers = {probe.protocol: probe.answers for probe in result.probes}
    others = max((n for name, n in answers.items() if name != _SNMP), default=0)
    usable = [probe for probe in result.probes if probe.error is None and probe.targets]
    for probe in result.probes:
        if probe.error is not None:
            yield f"{probe.protocol} could not be used: {probe.error}"
        elif not probe.targets:
            if not any(answers.values()) and FACTS[probe.protocol].on_link:
                yield _not_on_a_link(plan, probe.protocol)
        elif not probe.answers and probe.protocol == _SNMP:
            yield _no_snmp(plan, others or probe.targets, len(result.closed), alive=others > 0)
        elif not probe.answers and not any(answers.values()):
            yield f"{probe.protocol}: no answer of {probe.targets}: nothing there, or it is filtered"
    if usable and not any(answers.values()):
        yield from no_routes(plan.targets.ranges)
    if plan.targets.wide and not any(answers.values()) and not result.warnings:
        yield f"nothing answered the echo to all nodes on {', '.join(plan.links)}: name an address to ask it"


def _not_on_a_link(plan: Plan, protocol: str) -> str:
    ranges = plan.targets.ranges
    if not ranges or is_ipv6(next(ranges[0].addresses())):
        return f"{protocol} is of IPv4 only, and no target is: icmp asks IPv6 on links, too"
    return f"{protocol} reaches targets on a link of this machine only: none is"


def _no_snmp(plan: Plan, asked: int, closed: int, *, alive: bool) -> str:
    tried = _credentials(plan.snmp)
    where = f"on port {plan.snmp.port}"
    if closed and closed >= asked:
        return (
            f"snmp: port {plan.snmp.port} is refused at {closed} of {len(plan.targets)}: no agent "
            "there, or a firewall rejects it; try another --port"
        )
    if alive:
        return (
            f"snmp: none of the {asked} that are there answered to the {tried} {where}: "
            "try another --community, --user or --port; agents may also answer certain hosts only"
        )
    return f"snmp: no answer of {asked} to the {tried} {where}"


def _credentials(snmp: Snmp) -> str:
    """Return what was tried, in words."""
    communities, users = len(snmp.communities), len(snmp.tried) - len(snmp.communities)
    words = (
        []
        if not communities
        else ["community" if communities == 1 else f"{communities} communities"]
    )
    if users:
        words.append("user" if users == 1 else f"{users} users")
    return " and the ".join(words)


def no_routes(ranges: Sequence[AddressRange]) -> Iterator[str]:
    """Yield a sentence for each range whose first address this machine has no route to."""
    for item in ranges[:_SAMPLES]:
        first = next(item.addresses())
        family = socket.AF_INET6 if is_ipv6(first) else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            try:
                sock.connect((first, 9))  # sends nothing: UDP
            except OSError as exc:
                yield f"no route to {first}: {exc.strerror}"
