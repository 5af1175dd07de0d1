"""Asks SNMP agents for their system group, then for their first physical address.

Agents are not trusted: walks are bounded, text is cleaned and cut.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pdsno_cli.discovery.mac import format_mac
from pdsno_cli.discovery.snmp.agents import (
    SYS_DESCR,
    SYS_NAME,
    SYS_OBJECT_ID,
    SYS_UP_TIME,
    Agents,
)
from pdsno_cli.discovery.snmp.ber import Oid, RawResponse, Response, Value, read_oid, read_response
from pdsno_cli.discovery.snmp.ber_write import GET, Packet, write_oid
from pdsno_cli.discovery.snmp.details.detail import MARKS, Marks
from pdsno_cli.discovery.snmp.details.exchange import Request, Task
from pdsno_cli.discovery.snmp.details.walk import TOO_BIG, Agent, walk
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


@dataclass(slots=True)
class _Asking:
    """What is still to be asked of an agent, request by request, and what it said."""

    queue: list[tuple[Oid, ...]]
    said: list[tuple[Oid, Value]] = field(default_factory=list)


def smaller(oids: tuple[Oid, ...], error_status: int, error_index: int) -> list[tuple[Oid, ...]]:
    """Return the requests to make after an error for one: without the object at fault, else one each."""
    if len(oids) == 1:
        return []
    if error_status != TOO_BIG and 0 < error_index <= len(oids):
        return [oids[: error_index - 1] + oids[error_index:]]
    return [(oid,) for oid in oids]


def get_system(
    agents: Agents,
    indices: Sequence[int],
    rate: float,
    cancel: threading.Event,
    more: Mapping[str, tuple[Oid, ...]],
) -> dict[int, SystemInfo]:
    """GET the system group; after an error, GET it again without the object at fault, or one by one."""
    found: dict[int, SystemInfo] = {}
    # Of agents that know more, or that returned an error.
    asking = {
        index: _Asking([SYSTEM + oids])
        for address, oids in more.items()
        if (index := agents.index(address)) is not None
    }
    again: set[int] = set()

    def packet(index: int) -> Packet:
        return agents.get(index, asking[index].queue[0] if index in asking else SYSTEM)

    def accept(index: int, response: Response) -> None:
        if index not in asking and response.error_status == 0:
            found[index] = system_info(response.bindings)
            return
        state = asking.setdefault(index, _Asking([SYSTEM]))
        oids = state.queue.pop(0)
        if response.error_status == 0:
            state.said += response.bindings
        else:
            state.queue[:0] = smaller(oids, response.error_status, response.error_index)
        found[index] = system_info(state.said)  # it answered, if only with an error
        if state.queue:
            again.add(index)

    pending = indices
    for _ in range(2 * len((*SYSTEM, *MARKS))):
        agents.request(pending, packet, accept, rate=rate, cancel=cancel, read=read_response)
        pending = tuple(sorted(again))
        again.clear()
        if not pending:
            break
    return found


def walk_macs(
    agents: Agents, indices: Sequence[int], rate: float, cancel: threading.Event, slow: set[int]
) -> dict[int, str]:
    """Walk ifPhysAddress of each agent up to the first address that identifies a device.

    Rows come in the order of ifIndex, so the first is that of the lowest. Agents that do not answer
    GETBULK are asked by GETNEXT, at once where they are among ``slow``, which those that answer that
    are added to.
    """
    macs: dict[int, str] = {}
    starts: dict[int, Oid] = dict.fromkeys(indices, IF_PHYS_ADDRESS)
    single = {index for index in indices if index in slow}

    def packet(index: int) -> Packet:
        ask = agents.next if index in single else agents.bulk
        return ask(index, starts[index])

    def accept(index: int, response: Response) -> None:
        answered.add(index)
        if response.error_status != 0:
            if index in single:
                del starts[index]
            answered.discard(index)  # GETNEXT may do
            return
        if index in single:
            slow.add(index)
        mac, starts[index] = _first_mac(starts[index], response.bindings)
        if mac is not None:
            macs[index] = mac

    for _ in range(MAX_BULKS):
        answered: set[int] = set()
        before = dict(starts)
        agents.request(tuple(before), packet, accept, rate=rate, cancel=cancel, read=read_response)
        starts = {
            index: start
            for index, start in starts.items()
            if index not in macs
            and (start != before[index] if index in answered else index not in single)
        }
        single |= starts.keys() - answered
        if not starts or cancel.is_set():
            break
    return macs


def _first_mac(start: Oid, bindings: Iterable[tuple[Oid, Value]]) -> tuple[str | None, Oid]:
    """Return the first MAC that identifies a device, and where the walk goes on.

    That is ``start`` at the end of the column, and where OIDs do not rise.
    """
    previous = start
    for oid, value in bindings:
        inside = oid[: len(IF_PHYS_ADDRESS)] == IF_PHYS_ADDRESS
        if not inside or oid <= previous or value.text is None:
            return None, start
        mac = format_mac(value.text)
        if mac is not None:
            return mac, oid
        previous = oid
    return None, previous


def read_system(oids: tuple[Oid, ...]) -> Task[SystemInfo | None]:
    """Return the system group and MAC of one agent, None if it is silent, as a task."""
    state, answered = _Asking([oids]), False
    while state.queue:
        response = yield Request(GET, tuple(map(write_oid, state.queue[0])))
        if response is None:
            break
        answered = True
        asked = state.queue.pop(0)
        if response.error_status == 0:
            state.said += _named(response)
        else:
            state.queue[:0] = smaller(asked, response.error_status, response.error_index)
    if not answered:
        return None
    rows = yield from walk({IF_PHYS_ADDRESS: _MAX_INTERFACES}, Agent())
    macs = (format_mac(value.text or b"") for value in rows[IF_PHYS_ADDRESS].values())
    mac = next((mac for mac in macs if mac is not None), None)
    return replace(system_info(state.said), mac=mac)


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
