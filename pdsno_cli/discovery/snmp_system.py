"""Asks SNMP agents for their system group, then for their first physical address.

Agents are not trusted: walks are bounded, text is cleaned and cut.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pdsno_cli.discovery.ber import Oid, RawResponse, Response, Value, read_oid, read_response
from pdsno_cli.discovery.ber_write import GET, Packet, write_oid
from pdsno_cli.discovery.mac import format_mac
from pdsno_cli.discovery.snmp_agents import (
    SYS_DESCR,
    SYS_NAME,
    SYS_OBJECT_ID,
    SYS_UP_TIME,
    Agents,
)
from pdsno_cli.discovery.snmp_details.detail import MARKS, Marks
from pdsno_cli.discovery.snmp_details.exchange import Request, Task
from pdsno_cli.discovery.snmp_details.walk import Agent, walk
from pdsno_cli.discovery.text import DESCRIPTION_CHARACTERS, NAME_CHARACTERS, clean_text

if TYPE_CHECKING:
    import threading

    from pdsno_cli.spec.topology import Credential

MAX_BULKS = 20  # an endless table costs 20 requests, not a cycle

SYSTEM = (SYS_DESCR, SYS_OBJECT_ID, SYS_UP_TIME, SYS_NAME)
IF_PHYS_ADDRESS: Oid = (1, 3, 6, 1, 2, 1, 2, 2, 1, 6)
_MAX_INTERFACES = 100  # among which the first physical address of an agent of SNMPv3 is looked for


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemInfo:
    """The system group and MAC of an SNMP agent; None where it sends no usable value.

    ``uptime`` is in seconds. ``mac`` is six lower-case hex pairs joined by colons. The names are
    those of the fields that the registry lists, but ``marks``, when interfaces and neighbours changed, and
    ``credential``, which it answered.
    """

    sys_name: str | None = None
    sys_descr: str | None = None
    sys_object_id: str | None = None
    uptime: float | None = None
    mac: str | None = None
    marks: Marks = (None, None)
    credential: Credential | None = field(default=None, compare=False, repr=False)

    @property
    def community(self) -> str | None:
        """The community that the agent answers, None for a user of SNMPv3."""
        return None if self.credential is None else self.credential.community

    @property
    def user(self) -> Credential | None:
        """The user of SNMPv3 that the agent answers, None for a community."""
        return self.credential if self.community is None else None


def get_system(
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
        return agents.get(index, asked.get(index, SYSTEM))

    def accept(index: int, response: Response) -> None:
        oids, position = asked.get(index, SYSTEM), response.error_index
        if response.error_status == 0:
            found[index] = system_info(response.bindings)
            return
        found[index] = SystemInfo()  # it answered, if only with an error
        refused = position - 1 if 0 < position <= len(oids) else len(oids) - 1
        asked[index] = oids[:refused] + oids[refused + 1 :]
        again.add(index)

    pending = indices
    for _ in (*SYSTEM, *MARKS):
        agents.request(pending, packet, accept, rate=rate, cancel=cancel, read=read_response)
        pending = tuple(index for index in sorted(again) if asked[index])
        again.clear()
        if not pending:
            break
    return found


def walk_macs(
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
        packets = {index: agents.bulk(index, start) for index, start in before.items()}
        agents.request(
            tuple(packets),
            packets.__getitem__,
            accept,
            rate=rate,
            cancel=cancel,
            read=read_response,
        )
        starts = {i: start for i, start in starts.items() if start != before.get(i)}
        if not starts or cancel.is_set():
            break
    return macs


def read_system(oids: tuple[Oid, ...]) -> Task[SystemInfo | None]:
    """Return the system group and MAC of one agent, None if it is silent, as a task."""
    info: SystemInfo | None = None
    while oids:
        response = yield Request(GET, tuple(map(write_oid, oids)))
        if response is None:
            return info
        if response.error_status == 0:
            info = system_info(_named(response))
            break
        info = SystemInfo()
        refused = min(response.error_index or len(oids), len(oids)) - 1
        oids = oids[:refused] + oids[refused + 1 :]
    rows = yield from walk({IF_PHYS_ADDRESS: _MAX_INTERFACES}, Agent())
    macs = (format_mac(value.text or b"") for value in rows[IF_PHYS_ADDRESS].values())
    mac = next((mac for mac in macs if mac is not None), None)
    return replace(info or SystemInfo(), mac=mac)


def _named(response: RawResponse) -> Iterable[tuple[Oid, Value]]:
    for octets, value in response.bindings:
        name = read_oid(octets)
        if name is not None:
            yield name, value


def system_info(bindings: Iterable[tuple[Oid, Value]]) -> SystemInfo:
    """Return what the bindings of an answer say."""
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


def _text(value: Value, limit: int) -> str | None:
    return None if value.text is None else clean_text(value.text, limit)
