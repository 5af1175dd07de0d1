"""One sweep: asks who is there, then what it is; answers become devices.

On a link ARP comes first, and all else is asked of those alone that answered it; by IPv6 echo does,
and the kernel's table of neighbours says who else is there. Behind routers every protocol is used at once, or SNMP after ICMP where a policy says so. Each protocol has one
thread. Meant for a worker thread: a sweep waits for the network. The code of a probe, and the
libraries it needs, are imported when a sweep uses it, or by ``preload`` before processes are forked.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from msgspec import structs

from pdsno_cli.discovery import neighbours, onlink
from pdsno_cli.discovery.merge import merge, sort_addresses
from pdsno_cli.discovery.near6 import NearIpv6
from pdsno_cli.discovery.outcomes import Outcome, joined, run_probe
from pdsno_cli.discovery.pace import Pace
from pdsno_cli.discovery.probe import Answers, ProbeRequest, load
from pdsno_cli.discovery.progress import Progress
from pdsno_cli.model.devices import Observation, ProbeResult
from pdsno_cli.model.probes import FACTS, ProbeFacts, sort_protocols
from pdsno_cli.model.targets import AddressRange, AddressSet

if TYPE_CHECKING:
    from pdsno_cli.discovery.onlink import Link
    from pdsno_cli.model.details import Detail
    from pdsno_cli.spec.topology import Snmp

_OTHERS = 124  # entries of the neighbour table that are left to others


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepResult:
    """The observations of a sweep and the result of each probe, in the order of the registry.

    ``seconds`` is its duration. The observations of a ``cancelled`` sweep are incomplete: the
    caller drops them. ``warnings`` say what slowed it down, and what to do about it. ``details`` has
    those of the devices whose details were read in this sweep, by the address that was asked.
    ``refused`` are the addresses whose agents answered SNMP in an earlier sweep of this process and do
    not now, while another protocol finds them. ``stray`` counts, for each address that was asked, the
    replies that came from other addresses, by source. ``conflicts`` has the MACs of each address that
    several devices claim. ``closed`` are those at which the agent's port is refused.
    """

    observations: tuple[Observation, ...]
    probes: tuple[ProbeResult, ...]
    seconds: float
    cancelled: bool = False
    warnings: tuple[str, ...] = ()
    details: Mapping[str, Detail] = field(default_factory=dict)
    refused: tuple[str, ...] = ()
    stray: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    conflicts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    closed: frozenset[str] = frozenset()


def preload(protocols: Iterable[str], targets: Iterable[str] | None = None) -> None:
    """Import what sweeps with ``protocols`` will need, so that forked processes share it.

    If ``targets`` are given and none is on a link of this machine, ``on_link`` probes are skipped.
    """
    for name in sort_protocols(protocols):
        facts = FACTS[name]
        if not facts.on_link or targets is None or onlink.on_link(targets):
            load(facts).preload()


def sweep(
    targets: Sequence[str],
    protocols: Sequence[str],
    snmp: Snmp,
    cancel: threading.Event | None = None,
    *,
    pace: Pace | None = None,
    answering_only: bool = False,
    progress: Mapping[str, Progress] | None = None,
) -> SweepResult:
    """Probe ``targets`` (addresses) with ``protocols``; never raises, returns soon after ``cancel``.

    The secrets of ``snmp`` are resolved. Behind routers, ``answering_only`` asks SNMP of those targets
    that answered ICMP, if that could be used. The failure of a probe becomes its ``ProbeResult.error``.
    ``progress`` has one for each protocol that is watched.
    """
    started = time.monotonic()
    wanted = targets if isinstance(targets, AddressSet) else AddressSet.of(targets)
    wanted = wanted.without(onlink.never())
    request = ProbeRequest(
        targets=wanted,
        snmp=snmp,
        cancel=cancel or threading.Event(),
        pace=pace or Pace(),
    )
    probes = [FACTS[name] for name in sort_protocols(protocols)]
    stages = _Stages(
        request, wanted, probes, answering_only=answering_only, progress=progress or {}
    )
    # The first runs on this thread: a sweep with one protocol, of which there may be hundreds on a
    # machine, needs no further thread. Each waits for earlier ones only.
    with ThreadPoolExecutor(thread_name_prefix="probe") as pool:
        others = [pool.submit(stages.run, facts) for facts in probes[1:]]
        try:
            outcomes = [stages.run(facts) for facts in probes[:1]]
            outcomes += [future.result() for future in others]
        except BaseException:  # Ctrl-C, for example: no thread may wait for this one
            request.cancel.set()
            stages.abort()
            raise
        finally:
            stages.close()
    outcomes = stages.with_neighbours(probes, outcomes)
    answered = {probe.protocol: answers for answers, probe in outcomes}
    found = {address for answers in answered.values() for address in answers}
    findings = request.findings
    return SweepResult(
        observations=merge(answered),
        probes=tuple(probe for _, probe in outcomes),
        seconds=time.monotonic() - started,
        cancelled=request.cancel.is_set(),
        warnings=stages.warnings,
        details=findings.details,
        refused=sort_addresses(findings.refused & found),
        stray=findings.stray,
        conflicts={a: tuple(sorted(macs)) for a, macs in findings.conflicts.items()},
        closed=frozenset(findings.closed),
    )


class _Stages:
    """Who is asked by which protocol, as the answers to the protocols before it decide.

    ``run`` is called once for each protocol, on a thread each, in the order of the registry.
    """

    def __init__(
        self,
        request: ProbeRequest,
        targets: AddressSet,
        probes: Sequence[ProbeFacts],
        *,
        answering_only: bool,
        progress: Mapping[str, Progress],
    ) -> None:
        self._request = request
        self._progress = progress
        self._links: Mapping[str, Link] = {}
        if any(facts.on_link for facts in probes):
            self._links = onlink.on_link(targets)
        ranges = (item for link in self._links.values() for item in link.targets.ranges)
        self._elsewhere = targets.without(AddressSet(ranges))
        self._six = NearIpv6(targets, request.pace)
        self._answering_only = answering_only
        # Of the targets on links those that are there, and of the others those that may be asked
        # by all protocols: set once the protocols that find them out have run.
        self._unusable = AddressSet()  # of the targets on links, those that ARP could not ask
        self._near: Future[AddressSet] = Future()
        # The probes of targets on links keep step, so that they share the kernel's neighbour table.
        self._limit = max(neighbours.limit() - _OTHERS, 1)
        self._step = threading.Barrier(
            max(sum(not facts.on_link for facts in probes), 1), action=self._make_room
        )
        self._crowded = False
        self._others = neighbours.addresses() if self._links else frozenset[str]()
        self._far: Future[AddressSet] = Future()
        if not self._links:
            self._near.set_result(AddressSet())
        if not any(facts.presence for facts in probes):
            self._far.set_result(self._six.expand(self._elsewhere, None))
        elif not answering_only and not self._six:
            self._far.set_result(self._elsewhere)

    def run(self, facts: ProbeFacts) -> Outcome:
        """Probe the targets of one protocol, in two parts: behind routers, and on links."""
        if facts.on_link:
            return self._run_on_links(facts)
        if facts.presence:
            asked = self._six.expand(self._elsewhere, self._request.cancel)
            self._six.watch(asked)
            far = run_probe(facts, self._of(facts, asked))
            answers, probe = far
            self._six.learn(answers)
            if not self._far.done():
                further = self._six.asked_further(
                    asked, answers, answering_only=self._answering_only
                )
                _settle(self._far, asked if probe.error else further)
        else:
            far = run_probe(facts, self._of(facts, self._far.result()))
        if not self._links:
            return far
        pace = replace(self._request.pace, there=True)
        outcomes = [far]
        for part in _parts(self._near.result(), self._limit):
            outcomes.append(run_probe(facts, replace(self._of(facts, part), pace=pace)))
            self._step.wait()
        return joined(facts, outcomes)

    def _make_room(self) -> None:
        """Let go of the neighbours of one part, so that those of the next fit."""
        there = self._near.result()
        if len(there) <= self._limit or self._request.cancel.is_set():
            return
        for name, link in self._links.items():
            neighbours.forget(name, there.within(link.targets), keep=self._others)
        left = neighbours.addresses() - self._others
        self._crowded = any(address in there for address in left)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What slowed the sweep down, once it has run."""
        if not self._crowded:
            return tuple(self._six.warnings)
        there = len(self._near.result())
        text = (
            f"{there:,} hosts on links do not fit into the kernel's neighbour table of "
            f"{self._limit + _OTHERS:,}: cycles wait until it has room (grant CAP_NET_ADMIN, or "
            f"sudo sysctl net.ipv4.neigh.default.gc_thresh3={2 * (there + _OTHERS)})"
        )
        return (text, *self._six.warnings)

    def with_neighbours(
        self, probes: Sequence[ProbeFacts], outcomes: Sequence[Outcome]
    ) -> list[Outcome]:
        """Give ARP, where it could not be used, the kernel's MACs of what answered otherwise.

        And echo those of what answered it by IPv6. To send to a target on a link, the kernel has asked for its MAC by ARP.
        """
        answered = {address for answers, _ in outcomes for address in answers}
        known = neighbours.resolved() if self._unusable and answered else {}
        macs: Answers = {
            address: {"mac": mac}
            for address, mac in known.items()
            if address in answered and address in self._unusable
        }
        return [
            ({**answers, **macs}, structs.replace(probe, answers=len(answers) + len(macs)))
            if facts.on_link and "mac" in facts.yields
            else (self._six.macs(answers) if facts.presence else answers, probe)
            for facts, (answers, probe) in zip(probes, outcomes, strict=True)
        ]

    def close(self) -> None:
        """End what was begun for the whole sweep."""
        self._six.close()

    def abort(self) -> None:
        """Let every thread end that waits for another."""
        _settle(self._near, AddressSet())
        _settle(self._far, AddressSet())
        self._step.abort()

    def _of(self, facts: ProbeFacts, targets: AddressSet) -> ProbeRequest:
        progress = self._progress.get(facts.name) or Progress()
        return replace(self._request, targets=targets, progress=progress)

    def _run_on_links(self, facts: ProbeFacts) -> Outcome:
        """Probe one link after another; the targets of one that cannot be used count as there."""
        outcomes: list[Outcome] = []
        there: list[AddressRange] = []
        unusable: list[AddressRange] = []
        for name, link in self._links.items():
            answers, probe = run_probe(
                facts, replace(self._of(facts, link.targets), interfaces={name: link})
            )
            outcomes.append((answers, probe))
            there += link.targets.ranges if probe.error else AddressSet.of(answers).ranges
            unusable += link.targets.ranges if probe.error else ()
        self._unusable = AddressSet(unusable)
        _settle(self._near, AddressSet(there))
        return joined(facts, outcomes)


def _parts(addresses: AddressSet, most: int) -> list[AddressSet]:
    """Return the addresses in parts of at most so many."""
    if len(addresses) <= most:
        return [addresses]
    return [AddressSet.of(addresses[at : at + most]) for at in range(0, len(addresses), most)]


def _settle(future: Future[AddressSet], value: AddressSet) -> None:
    if not future.done():
        future.set_result(value)
