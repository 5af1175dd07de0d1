"""One discovery without a topology: a sweep, further communities, and why nothing answered."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import msgspec

from pdsno_cli.discovery.sweep import SweepResult, sweep
from pdsno_cli.model.devices import Observation, ProbeResult
from pdsno_cli.model.probes import FACTS, sort_protocols
from pdsno_cli.model.targets import AddressRange, AddressSet
from pdsno_cli.spec.topology import Snmp

_SNMP = "snmp"
_SAMPLES = 64  # ranges whose route is looked up


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to ask: ``targets`` without the excluded ones, ``communities`` in order."""

    targets: AddressSet
    protocols: tuple[str, ...]
    snmp: Snmp
    communities: tuple[str, ...]

    @property
    def most_seconds(self) -> float:
        """A time that no scan exceeds by much: one protocol after the other, and nothing answers."""
        seconds = []
        for name in self.protocols:
            facts = FACTS[name]
            tries, timeout, rounds = facts.tries, facts.timeout, 1
            if name == _SNMP:
                tries, timeout = self.snmp.retries + 1, self.snmp.timeout
                rounds = len(self.communities)
            seconds.append(rounds * tries * (len(self.targets) / facts.rate + timeout))
        return sum(seconds)


def scan(plan: Plan, cancel: threading.Event) -> SweepResult:
    """Sweep; each further community is tried on the targets that did not answer SNMP until then."""
    first, *others = plan.communities
    found = sweep(plan.targets, plan.protocols, replace(plan.snmp, community=first), cancel)
    for community in others if _SNMP in plan.protocols else ():
        answered = [o for o in found.observations if _SNMP in o.protocols]
        known = AddressSet.of(address for item in answered for address in item.addresses)
        left = plan.targets.without(known)
        if cancel.is_set() or not left:
            break
        again = sweep(left, [_SNMP], replace(plan.snmp, community=community), cancel)
        found = _joined(found, again)
    return found


def _joined(first: SweepResult, again: SweepResult) -> SweepResult:
    """Return a sweep with what another found by SNMP."""
    found = {item.addresses[0]: item for item in first.observations}
    at = {address: item.addresses[0] for item in first.observations for address in item.addresses}
    for item in again.observations:
        key = next((at[address] for address in item.addresses if address in at), item.addresses[0])
        found[key] = _with_snmp(found.get(key), item)
    (probe,) = again.probes
    return replace(
        first,
        observations=tuple(sorted(found.values(), key=lambda o: _order(o.addresses[0]))),
        probes=tuple(_added(item, probe) for item in first.probes),
        seconds=first.seconds + again.seconds,
        cancelled=first.cancelled or again.cancelled,
        closed=first.closed | again.closed,
    )


def _with_snmp(known: Observation | None, item: Observation) -> Observation:
    if known is None:
        return item
    kept = {} if known.mac is None else {"mac": known.mac, "mac_source": known.mac_source}
    return msgspec.structs.replace(
        item,
        addresses=tuple(sorted({*known.addresses, *item.addresses}, key=_order)),
        protocols=sort_protocols((*known.protocols, *item.protocols)),
        **kept,
    )


def _added(probe: ProbeResult, again: ProbeResult) -> ProbeResult:
    if probe.protocol != again.protocol:
        return probe
    return msgspec.structs.replace(
        probe,
        answers=probe.answers + again.answers,
        seconds=round(probe.seconds + again.seconds, 3),
        error=probe.error and again.error,
    )


def _order(address: str) -> bytes:
    return socket.inet_aton(address)


def reasons(plan: Plan, result: SweepResult) -> Iterator[str]:
    """Yield why protocols found nothing, or could not be used, as far as that can be known."""
    answers = {probe.protocol: probe.answers for probe in result.probes}
    others = max((n for name, n in answers.items() if name != _SNMP), default=0)
    usable = [probe for probe in result.probes if probe.error is None and probe.targets]
    for probe in result.probes:
        if probe.error is not None:
            yield f"{probe.protocol} could not be used: {probe.error}"
        elif not probe.targets:
            if not any(answers.values()):
                yield f"{probe.protocol} reaches targets on a link of this machine only: none is"
        elif not probe.answers and probe.protocol == _SNMP:
            yield _no_snmp(plan, others or probe.targets, len(result.closed), alive=others > 0)
        elif not probe.answers and not any(answers.values()):
            yield f"{probe.protocol}: no answer of {probe.targets}: nothing there, or it is filtered"
    if usable and not any(answers.values()):
        yield from no_routes(plan.targets.ranges)


def _no_snmp(plan: Plan, asked: int, closed: int, *, alive: bool) -> str:
    count = len(plan.communities)
    tried = "community" if count == 1 else f"{count} communities"
    where = f"on port {plan.snmp.port}"
    if closed and closed >= asked:
        return (
            f"snmp: port {plan.snmp.port} is refused at {closed} of {len(plan.targets)}: no agent "
            "there, or a firewall rejects it; try another --port"
        )
    if alive:
        return (
            f"snmp: none of the {asked} that are there answered to the {tried} {where}: "
            "try another --community or --port; agents may also answer certain hosts only"
        )
    return f"snmp: no answer of {asked} to the {tried} {where}"


def no_routes(ranges: Sequence[AddressRange]) -> Iterator[str]:
    """Yield a sentence for each range whose first address this machine has no route to."""
    for item in ranges[:_SAMPLES]:
        first = next(item.addresses())
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            try:
                sock.connect((first, 9))  # sends nothing: UDP
            except OSError as exc:
                yield f"no route to {first}: {exc.strerror}"
