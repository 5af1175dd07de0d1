"""One sweep: every protocol asks the targets at the same time, and the answers become devices.

Meant for a worker thread: it waits for the network. scapy and pysnmp are imported by the probe
that needs them, when it does, or by ``preload`` before many processes are forked.
"""

from __future__ import annotations

import importlib
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pdsno_cli.discovery import onlink
from pdsno_cli.discovery.answers import Answers, ProbeUnavailableError
from pdsno_cli.discovery.merge import merge, sort_protocols
from pdsno_cli.model.devices import Observation, ProbeResult
from pdsno_cli.model.targets import AddressSet

if TYPE_CHECKING:
    from pdsno_cli.spec.topology import Snmp


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepResult:
    """What a sweep saw and how each protocol fared, in the order of ``PROTOCOLS``.

    ``seconds`` is how long it took. A ``cancelled`` sweep saw too little to judge by: drop it.
    """

    observations: tuple[Observation, ...]
    probes: tuple[ProbeResult, ...]
    seconds: float
    cancelled: bool = False


def preload(protocols: Iterable[str], targets: Iterable[str] | None = None) -> None:
    """Import what sweeps with ``protocols`` will need, so that forked children share it.

    Where ``targets`` are given and none is on a link of this machine, ARP needs nothing.
    """
    wanted = set(protocols)
    for name in wanted & {"icmp", "snmp"}:
        importlib.import_module(f"pdsno_cli.discovery.{name}")
    if "arp" in wanted and (targets is None or onlink.on_link(targets)):
        from pdsno_cli.discovery import arp

        arp.preload()


def sweep(
    targets: Sequence[str],
    protocols: Sequence[str],
    snmp: Snmp,
    cancel: threading.Event | None = None,
) -> SweepResult:
    """Ask ``targets`` (IPv4, dotted) over ``protocols``; never raises, never outlives ``cancel``.

    ``snmp.community`` is resolved. What goes wrong in a probe becomes its ``ProbeResult.error``.
    """
    started = time.monotonic()
    stop = cancel or threading.Event()
    wanted = targets if isinstance(targets, AddressSet) else AddressSet.of(targets)
    names = sort_protocols(protocols)
    probes = {"arp": _arp, "icmp": _icmp, "snmp": _snmp}
    # The first runs here: a sweep over one protocol, of which there may be hundreds on a machine,
    # needs no further thread.
    with ThreadPoolExecutor(thread_name_prefix="probe") as pool:
        others = [pool.submit(_run, name, probes[name], wanted, snmp, stop) for name in names[1:]]
        outcomes = [_run(name, probes[name], wanted, snmp, stop) for name in names[:1]]
        outcomes += [future.result() for future in others]
    answers: dict[str, Any] = {
        name: found for name, (found, _) in zip(names, outcomes, strict=True) if found is not None
    }
    return SweepResult(
        observations=merge(Answers(**answers)),
        probes=tuple(probe for _, probe in outcomes),
        seconds=time.monotonic() - started,
        cancelled=stop.is_set(),
    )


Found = Mapping[str, Any] | frozenset[str]
Probe = Callable[[Sequence[str], "Snmp", threading.Event], tuple[int, Found]]


def _run(
    name: str, probe: Probe, targets: Sequence[str], snmp: Snmp, cancel: threading.Event
) -> tuple[Found | None, ProbeResult]:
    """Run one probe on its own thread; what it raises is its result."""
    started = time.monotonic()
    asked, found, error = len(targets), None, None
    try:
        asked, found = probe(targets, snmp, cancel)
    except ProbeUnavailableError as exc:
        error = str(exc)
    except Exception as exc:  # noqa: BLE001 - one probe's failure must not take the others down
        error = f"{type(exc).__name__}: {exc}"
    return found, ProbeResult(
        protocol=name,
        targets=asked,
        answers=len(found or ()),
        seconds=round(time.monotonic() - started, 3),
        error=error,
    )


def _arp(targets: Sequence[str], _snmp: Snmp, cancel: threading.Event) -> tuple[int, Found]:
    interfaces = onlink.on_link(targets)
    if not interfaces:
        return 0, {}
    from pdsno_cli.discovery import arp

    return sum(map(len, interfaces.values())), arp.sweep(interfaces, cancel)


def _icmp(targets: Sequence[str], _snmp: Snmp, cancel: threading.Event) -> tuple[int, Found]:
    from pdsno_cli.discovery import icmp

    return len(targets), icmp.sweep(targets, cancel)


def _snmp(targets: Sequence[str], snmp: Snmp, cancel: threading.Event) -> tuple[int, Found]:
    from pdsno_cli.discovery import snmp as probe

    return len(targets), probe.sweep(targets, snmp, cancel)
