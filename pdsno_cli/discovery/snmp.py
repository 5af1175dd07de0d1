"""SNMP v2c (RFC 3416) to many IPv4 addresses: the system group, then the first physical address.

Agents are not trusted: walks are bounded, text is cleaned and cut.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from pdsno_cli.discovery import unreachable
from pdsno_cli.discovery.ber import Oid, Response, Value
from pdsno_cli.discovery.ber_write import Packet
from pdsno_cli.discovery.mac import format_mac
from pdsno_cli.discovery.probe import Answers, Probe, ProbeRequest, ProbeUnavailableError
from pdsno_cli.discovery.snmp_agents import (
    RATE,
    SYS_DESCR,
    SYS_NAME,
    SYS_OBJECT_ID,
    SYS_UP_TIME,
    Agents,
)
from pdsno_cli.discovery.snmp_details.detail import MARKS, Marks
from pdsno_cli.discovery.sockets import enlarge_buffers
from pdsno_cli.discovery.text import DESCRIPTION_CHARACTERS, NAME_CHARACTERS, clean_text

if TYPE_CHECKING:
    import threading

    from pdsno_cli.discovery.snmp_details.memory import DetailReader
    from pdsno_cli.discovery.snmp_identity import Identities
    from pdsno_cli.spec.topology import Snmp

MAX_BULKS = 20  # an endless table costs 20 requests, not a cycle

SYSTEM = (SYS_DESCR, SYS_OBJECT_ID, SYS_UP_TIME, SYS_NAME)
IF_PHYS_ADDRESS: Oid = (1, 3, 6, 1, 2, 1, 2, 2, 1, 6)


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemInfo:
    """The system group and MAC of an SNMP agent; None where it sends no usable value.

    ``uptime`` is in seconds. ``mac`` is six lower-case hex pairs joined by colons. The names are
    those of the fields that the registry lists, but ``marks``: when interfaces and neighbours changed.
    """

    sys_name: str | None = None
    sys_descr: str | None = None
    sys_object_id: str | None = None
    uptime: float | None = None
    mac: str | None = None
    marks: Marks = (None, None)


class SnmpProbe:
    """Implements ``Probe``."""

    def __init__(self) -> None:
        self._identified: Any = None
        self._detail_reader: Any = None

    def preload(self) -> None:
        """Load the rules of identification."""
        self._identities()
        self._details()

    def sweep(self, request: ProbeRequest) -> Answers:
        """Return the system group, the MAC and the identity of every agent that answers."""
        port, details = request.snmp.port, self._details()
        found = sweep(
            request.targets,
            request.snmp,
            request.cancel,
            more=details.marks(port),
        )
        facts = self._identities().of(found, request.snmp, request.cancel) if found else {}
        details.read(found, request.snmp, request.findings, request.cancel)
        return {address: _fields(info) | facts.get(address, {}) for address, info in found.items()}

    def _details(self) -> DetailReader:
        if self._detail_reader is None:
            from pdsno_cli.discovery.snmp_details.memory import DetailReader

            self._detail_reader = DetailReader()
        return cast("DetailReader", self._detail_reader)

    def _identities(self) -> Identities:
        if self._identified is None:
            from pdsno_cli.discovery.snmp_identity import Identities

            self._identified = Identities()
        return cast("Identities", self._identified)


PROBE: Probe = SnmpProbe()


def sweep(
    targets: Sequence[str],
    settings: Snmp,
    cancel: threading.Event,
    *,
    rate: float = RATE,
    more: Mapping[str, tuple[Oid, ...]] | None = None,
) -> dict[str, SystemInfo]:
    """Return the system group and MAC of every agent among ``targets`` that answers.

    ``settings.community`` is resolved. ``more`` has the objects that the agent at an address is
    asked for beside the system group, some of ``MARKS``. Raises ProbeUnavailableError when there is no network.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        enlarge_buffers(sock)
        unreachable.enable(sock)
        agents = Agents(sock, targets, settings)
        found = _get_system(agents, range(len(targets)), rate, cancel, more or {})
        if agents.sender.error is not None and not found:
            raise ProbeUnavailableError(f"no request could be sent: {agents.sender.error}")
        macs = _walk_macs(agents, tuple(found), rate, cancel)
    return {targets[i]: replace(info, mac=macs.get(i)) for i, info in found.items()}


def _get_system(
    agents: Agents,
    indices: Sequence[int],
    rate: float,
    cancel: threading.Event,
    more: Mapping[str, tuple[Oid, ...]],
) -> dict[int, SystemInfo]:
    """GET the system group; after an error for one object, GET it again without that object."""
    found: dict[int, SystemInfo] = {}
    # What is asked of agents that know more, or that returned an error for an object.
    asked = {i: SYSTEM + oids for a, oids in more.items() if (i := agents.index(a)) is not None}
    again: set[int] = set()

    def packet(index: int) -> Packet:
        return agents.get(asked.get(index, SYSTEM))

    def accept(index: int, response: Response) -> None:
        oids, position = asked.get(index, SYSTEM), response.error_index
        if response.error_status == 0:
            found[index] = _system_info(response.bindings)
            return
        found[index] = SystemInfo()  # it answered, if only with an error
        refused = position - 1 if 0 < position <= len(oids) else len(oids) - 1
        asked[index] = oids[:refused] + oids[refused + 1 :]
        again.add(index)

    pending = indices
    for _ in (*SYSTEM, *MARKS):
        agents.request(pending, packet, accept, rate=rate, cancel=cancel)
        pending = tuple(index for index in sorted(again) if asked[index])
        again.clear()
        if not pending:
            break
    return found


def _walk_macs(
    agents: Agents, indices: Sequence[int], rate: float, cancel: threading.Event
) -> dict[int, str]:
    """Walk ifPhysAddress of each agent up to the first address that identifies a device.

    Rows come in the order of ifIndex, so the first is that of the lowest.
    """
    macs: dict[int, str] = {}
    starts: dict[int, Oid] = dict.fromkeys(indices, IF_PHYS_ADDRESS)

    def accept(index: int, response: Response) -> None:
        start = starts.pop(index)
        if response.error_status != 0:
            return
        previous = start
        for oid, value in response.bindings:
            inside = oid[: len(IF_PHYS_ADDRESS)] == IF_PHYS_ADDRESS
            if not inside or oid <= previous or value.text is None:
                return  # the end of the column, or an agent whose OIDs do not rise
            mac = format_mac(value.text)
            if mac is not None:
                macs[index] = mac
                return
            previous = oid
        if previous != start:
            starts[index] = previous

    for _ in range(MAX_BULKS):
        before = dict(starts)
        packets = {index: agents.bulk(start) for index, start in before.items()}
        agents.request(tuple(packets), packets.__getitem__, accept, rate=rate, cancel=cancel)
        starts = {i: start for i, start in starts.items() if start != before.get(i)}
        if not starts or cancel.is_set():
            break
    return macs


def _system_info(bindings: Iterable[tuple[Oid, Value]]) -> SystemInfo:
    values = dict(bindings)
    none = Value(tag=0, octets=b"")
    ticks = values.get(SYS_UP_TIME, none).ticks
    object_id = values.get(SYS_OBJECT_ID, none).oid
    return SystemInfo(
        sys_name=_text(values.get(SYS_NAME, none), NAME_CHARACTERS),
        sys_descr=_text(values.get(SYS_DESCR, none), DESCRIPTION_CHARACTERS),
        sys_object_id=None if object_id is None else ".".join(map(str, object_id)),
        uptime=None if ticks is None else ticks / 100,
        marks=(values.get(MARKS[0], none).number, values.get(MARKS[1], none).number),
    )


def _fields(info: SystemInfo) -> dict[str, str | float]:
    """Return what the registry lists of an agent."""
    return {
        name: value for name, value in asdict(info).items() if value is not None and name != "marks"
    }


def _text(value: Value, limit: int) -> str | None:
    return None if value.text is None else clean_text(value.text, limit)
