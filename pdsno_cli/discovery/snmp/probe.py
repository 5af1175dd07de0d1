"""SNMP to many addresses: who answers, what each is, and what it consists of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.discovery.probe import Answers, ProbeRequest
from pdsno_cli.discovery.snmp.agents import RATE
from pdsno_cli.discovery.snmp.credentials import CredentialMemory
from pdsno_cli.discovery.snmp.rounds import sweep_credentials
from pdsno_cli.model.probes import FACTS

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable, Sequence

    from pdsno_cli.discovery.snmp.details.memory import DetailReader
    from pdsno_cli.discovery.snmp.identities import Identities
    from pdsno_cli.discovery.snmp.system import SystemInfo
    from pdsno_cli.spec.topology import Snmp


class SnmpProbe:
    """Implements ``Probe``."""

    def __init__(self) -> None:
        self._identified: Identities | None = None
        self._detail_reader: DetailReader | None = None
        self._memory = CredentialMemory()

    def preload(self) -> None:
        """Load the rules of identification, and use them once."""
        from pdsno_cli.discovery.snmp.identities import warm_up

        warm_up()
        self._identities()
        self._details()

    def sweep(self, request: ProbeRequest) -> Answers:
        """Return the system group, the MAC and the identity of every agent that answers."""
        settings, details = request.snmp, self._details()
        rate = request.pace.rate_of(FACTS["snmp"])
        result = sweep_credentials(
            request.targets,
            settings,
            request.cancel,
            rate=rate,
            patient=request.pace.patient(FACTS["snmp"]),
            memory=self._memory,
            more=details.marks(settings.port),
            progress=request.progress,
        )
        found = result.found
        request.findings.refused |= result.refused
        request.findings.stray.update(result.stray)
        request.findings.closed |= result.closed
        facts = (
            self._identities().of(found, request.snmp, request.cancel, rate=rate) if found else {}
        )
        details.read(found, request.snmp, request.findings, request.cancel, rate=request.pace.rate)
        return {
            address: _fields(info, settings) | facts.get(address, {})
            for address, info in found.items()
        }

    def read_again(self, addresses: Iterable[str], port: int) -> None:
        """Read the details of these agents in the next sweep."""
        self._details().expire(addresses, port)

    def _details(self) -> DetailReader:
        if self._detail_reader is None:
            from pdsno_cli.discovery.snmp.details.memory import DetailReader

            self._detail_reader = DetailReader()
        return self._detail_reader

    def _identities(self) -> Identities:
        if self._identified is None:
            from pdsno_cli.discovery.snmp.identities import Identities

            self._identified = Identities()
        return self._identified


PROBE = SnmpProbe()  # a Probe, which can read details again


def sweep(
    targets: Sequence[str], settings: Snmp, cancel: threading.Event, *, rate: float = RATE
) -> dict[str, SystemInfo]:
    """Return the system group and MAC of every agent among ``targets`` that answers.

    The secrets of ``settings`` are resolved. Raises ProbeUnavailableError when there is no network.
    """
    return sweep_credentials(targets, settings, cancel, rate=rate).found


def _fields(info: SystemInfo, settings: Snmp) -> dict[str, str | float]:
    """Return what the registry lists of an agent."""
    label = None
    if info.credential in settings.tried:
        label = settings.label(settings.tried.index(info.credential))
    found = {
        "sys_name": info.sys_name,
        "sys_descr": info.sys_descr,
        "sys_object_id": info.sys_object_id,
        "uptime": info.uptime,
        "mac": info.mac,
        "credential": label,
    }
    return {name: value for name, value in found.items() if value is not None}
