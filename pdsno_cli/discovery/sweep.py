"""One sweep: all probes of the wanted protocols run at the same time; answers become devices.

Meant for a worker thread: it waits for the network. The code of a probe, and the libraries it
needs, are imported when a sweep uses it, or by ``preload`` before many processes are forked.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pdsno_cli.discovery import onlink
from pdsno_cli.discovery.merge import merge, sort_addresses
from pdsno_cli.discovery.probe import Answers, ProbeRequest, ProbeUnavailableError, load
from pdsno_cli.model.devices import Observation, ProbeResult
from pdsno_cli.model.probes import FACTS, ProbeFacts, sort_protocols
from pdsno_cli.model.targets import AddressSet

if TYPE_CHECKING:
    from pdsno_cli.model.details import Detail
    from pdsno_cli.spec.topology import Snmp


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepResult:
    """The observations of a sweep and the result of each probe, in the order of the registry.

    ``seconds`` is its duration. The observations of a ``cancelled`` sweep are incomplete: the
    caller drops them. ``details`` has those of the devices whose details were read in this sweep, by
    the address that was asked. ``refused`` are the addresses whose agents answered SNMP in an earlier
    sweep of this process and do not now, while another protocol finds them. ``stray`` counts, for
    each address that was asked, the replies that came from other addresses, by source.
    """

    observations: tuple[Observation, ...]
    probes: tuple[ProbeResult, ...]
    seconds: float
    cancelled: bool = False
    details: Mapping[str, Detail] = field(default_factory=dict)
    refused: tuple[str, ...] = ()
    stray: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


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
) -> SweepResult:
    """Probe ``targets`` (IPv4, dotted) with ``protocols``; never raises, returns soon after ``cancel``.

    The secrets of ``snmp`` are resolved. The failure of a probe becomes its ``ProbeResult.error``.
    """
    started = time.monotonic()
    request = ProbeRequest(
        targets=targets if isinstance(targets, AddressSet) else AddressSet.of(targets),
        snmp=snmp,
        cancel=cancel or threading.Event(),
    )
    probes = [FACTS[name] for name in sort_protocols(protocols)]
    # The first runs on this thread: a sweep with one protocol, of which there may be hundreds on a
    # machine, needs no further thread.
    with ThreadPoolExecutor(thread_name_prefix="probe") as pool:
        others = [pool.submit(_run, facts, request) for facts in probes[1:]]
        outcomes = [_run(facts, request) for facts in probes[:1]]
        outcomes += [future.result() for future in others]
    answered = {probe.protocol: answers for answers, probe in outcomes}
    found = {address for answers in answered.values() for address in answers}
    findings = request.findings
    return SweepResult(
        observations=merge(answered),
        probes=tuple(probe for _, probe in outcomes),
        seconds=time.monotonic() - started,
        cancelled=request.cancel.is_set(),
        details=findings.details,
        refused=sort_addresses(findings.refused & found),
        stray=findings.stray,
    )


def _run(facts: ProbeFacts, request: ProbeRequest) -> tuple[Answers, ProbeResult]:
    """Run one probe on the current thread; an exception becomes its result."""
    started = time.monotonic()
    count, error = len(request.targets), None
    answers: Answers = {}
    try:
        if facts.on_link:
            interfaces = onlink.on_link(request.targets)
            count = sum(len(link.targets) for link in interfaces.values())
            request = replace(request, interfaces=interfaces)
        if count or not facts.on_link:
            answers = load(facts).sweep(request)
    except ProbeUnavailableError as exc:
        error = str(exc)
    except Exception as exc:  # noqa: BLE001 - the failure of one probe must not end the others
        error = f"{type(exc).__name__}: {exc}"
    return answers, ProbeResult(
        protocol=facts.name,
        targets=count,
        answers=len(answers),
        seconds=round(time.monotonic() - started, 3),
        error=error,
    )
