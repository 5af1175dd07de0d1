"""Asks SNMP agents what their devices are, once for each device, and remembers the answer.

A device is asked again when its sysDescr, sysObjectID or sysName changes, after a reboot, and each
hour; one that did not answer every request, after five minutes. Until then it keeps the facts it had: good values
are never overwritten by nothing. Costs at most ``questions.MAX_DATAGRAMS`` requests a device, and retries.
"""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pdsno_cli.discovery import unreachable
from pdsno_cli.discovery.ber import Oid, Response, Value, read_oid, read_response
from pdsno_cli.discovery.ber_write import GET, GET_NEXT, Packet, write_oid
from pdsno_cli.discovery.engine_id import engine_id
from pdsno_cli.discovery.identify.answers import Answers, Object, parse_oid
from pdsno_cli.discovery.identify.identity import identify
from pdsno_cli.discovery.identify.questions import (
    BRIDGE_ADDRESS,
    ENGINE_ID,
    MAX_DATAGRAMS,
    ROWS,
    Questions,
    questions,
)
from pdsno_cli.discovery.mac import normalise_mac
from pdsno_cli.discovery.snmp_agents import RATE, SYS_DESCR, SYS_OBJECT_ID, Agents
from pdsno_cli.discovery.snmp_details.conversations import converse
from pdsno_cli.discovery.snmp_details.exchange import Request, Task
from pdsno_cli.discovery.snmp_details.walk import Agent, walk
from pdsno_cli.discovery.snmp_system import smaller
from pdsno_cli.discovery.sockets import enlarge_buffers
from pdsno_cli.model.probes import IDENTITY, UNIQUE

if TYPE_CHECKING:
    from pdsno_cli.discovery.identify.facts import Fact
    from pdsno_cli.discovery.snmp_system import SystemInfo
    from pdsno_cli.spec.topology import Snmp

AGAIN = 3600.0  # seconds after which a device is asked again
AGAIN_SILENT = 300.0  # the same for one that did not answer every request
SECONDS = 30.0  # of a cycle that the questions to odd agents and those of SNMPv3 may take
MAX_REMEMBERED = 65_536  # devices; those seen least recently are forgotten first

_OCTETS, _OBJECT_ID = 0x04, 0x06
_NUMBERS = frozenset(
    {0x02, 0x41, 0x42, 0x43, 0x46}
)  # INTEGER, Counter32, Gauge32, TimeTicks, Counter64


@dataclass(frozen=True, slots=True)
class _Known:
    """The facts of a device, what it said of itself, its last uptime, and when it was asked."""

    facts: Mapping[str, str]
    said: tuple[str | None, ...]
    uptime: float | None
    at: float
    complete: bool


class Identities:
    """The identities of the devices that a process has seen; used by several threads."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, int], _Known] = OrderedDict()
        self._lock = threading.Lock()

    def of(
        self,
        found: Mapping[str, SystemInfo],
        settings: Snmp,
        cancel: threading.Event,
        *,
        rate: float = RATE,
    ) -> dict[str, dict[str, str]]:
        """Return the facts of each agent in ``found``, by its address; asks those that are new."""
        now = time.monotonic()
        known = {address: self._recall(address, settings.port, found[address]) for address in found}
        asked = [
            address
            for address, item in known.items()
            if item is None or _stale(item, found[address], now)
        ]
        objects, replies = (
            _ask(asked, found, settings, cancel, rate) if asked else ({}, Counter[str]())
        )
        for address in asked:
            info, answered = found[address], objects.get(address)
            before = known[address]
            facts = _facts(info, answered or {})
            if before is not None:
                facts = {**facts, **before.facts} if answered is None else {**before.facts, **facts}
            complete = replies[address] == MAX_DATAGRAMS
            known[address] = _Known(facts, _said(info), info.uptime, now, complete)
        if not cancel.is_set():  # else some were not asked
            self._remember(known, found, settings.port)
        return {address: dict(item.facts) for address, item in known.items() if item is not None}

    def _remember(
        self, known: Mapping[str, _Known | None], found: Mapping[str, SystemInfo], port: int
    ) -> None:
        with self._lock:
            for address, item in known.items():
                if item is not None:
                    self._known[address, port] = replace(item, uptime=found[address].uptime)
                    self._known.move_to_end((address, port))
            while len(self._known) > MAX_REMEMBERED:
                self._known.popitem(last=False)

    def _recall(self, address: str, port: int, info: SystemInfo) -> _Known | None:
        """Return what is known of a device, None if another one answers there now."""
        with self._lock:
            item = self._known.get((address, port))
        return item if item is not None and item.said == _said(info) else None


def _said(info: SystemInfo) -> tuple[str | None, ...]:
    return info.sys_descr, info.sys_object_id, info.sys_name


def _stale(item: _Known, info: SystemInfo, now: float) -> bool:
    """Return True if a device is to be asked again."""
    rebooted = item.uptime is not None and info.uptime is not None and info.uptime < item.uptime
    return rebooted or now - item.at >= (AGAIN if item.complete else AGAIN_SILENT)


def explain(
    address: str, info: SystemInfo, settings: Snmp, cancel: threading.Event
) -> dict[str, Fact]:
    """Ask one agent what its device is; return each fact with its evidence."""
    objects, _ = _ask([address], {address: info}, settings, cancel, RATE)
    found = identify(_answers(info, objects.get(address, {})))
    return {field: found[field] for field in IDENTITY if field in found}


def _facts(info: SystemInfo, objects: Mapping[Oid, Object]) -> dict[str, str]:
    answers = _answers(info, objects)
    found = identify(answers)
    facts = {field: found[field].value for field in IDENTITY if field in found}
    unique = (
        engine_id(answers.octets(ENGINE_ID) or b""),
        normalise_mac((answers.octets(BRIDGE_ADDRESS) or b"").hex()),
    )
    return facts | {name: text for name, text in zip(UNIQUE, unique, strict=True) if text}


def _answers(info: SystemInfo, objects: Mapping[Oid, Object]) -> Answers:
    system: dict[Oid, Object] = {}
    if info.sys_descr is not None:
        system[SYS_DESCR] = Object(info.sys_descr.encode())
    object_id = parse_oid(info.sys_object_id or "")
    if object_id is not None:
        system[SYS_OBJECT_ID] = Object(object_id)
    return Answers({**objects, **system})


def _ask(
    asked: Sequence[str],
    found: Mapping[str, SystemInfo],
    settings: Snmp,
    cancel: threading.Event,
    rate: float,
) -> tuple[dict[str, dict[Oid, Object]], Counter[str]]:
    """Send each agent its questions; return the objects of those that answered, and their replies.

    Agents that refuse a request, or answer one of two, are asked again for less at a time.
    """
    answers: dict[str, dict[Oid, Object]] = {}
    replies: Counter[str] = Counter()
    refused: set[str] = set()
    wanted = {address: _questions(found[address]) for address in asked}
    others = {
        address: (found[address].community or settings.community).encode()
        for address in asked
        if found[address].user is None
    }
    if others:
        items = [(address, wanted[address]) for address in others]
        for address, response in _ask_communities(
            items, list(others.values()), settings, cancel, rate
        ):
            replies[address] += 1
            objects = answers.setdefault(address, {})
            if response.error_status == 0:
                objects.update(_objects(response.bindings))
            else:
                refused.add(address)
    odd = [item for item in others if item in refused or 0 < replies[item] < MAX_DATAGRAMS]
    users = [(address, user) for address in asked if (user := found[address].user) is not None]
    until = time.monotonic() + SECONDS
    thorough: dict[str, _Thorough] = {}
    if odd:
        tasks = ((address, _ask_task(wanted[address])) for address in odd)
        thorough |= converse(tasks, others, settings, cancel, until=until, rate=rate)[0]
    if users:
        from pdsno_cli.discovery.snmp_v3 import run_users

        of_users = ((address, user, _ask_task(wanted[address])) for address, user in users)
        thorough |= run_users(of_users, settings, cancel, until=until, rate=rate)
    for address, (bindings, complete) in thorough.items():
        answers.setdefault(address, {}).update(_objects(bindings))
        replies[address] = MAX_DATAGRAMS if complete else 1
    return answers, replies


# What an agent said, and whether it answered to the end.
_Thorough = tuple[list[tuple[Oid, Value]], bool]


def _ask_task(wanted: Questions) -> Task[_Thorough]:
    """Return the answers to the questions, as a task; what an agent refuses is asked in parts."""
    said: list[tuple[Oid, Value]] = []
    agent = Agent()
    for kind, oids in ((GET, wanted.gets), (GET_NEXT, wanted.nexts)):
        queue = [oids] if oids else []
        while queue:
            response = yield Request(kind, tuple(map(write_oid, queue[0])))
            if response is None:
                return said, False
            asked = queue.pop(0)
            if response.error_status == 0:
                named = ((read_oid(name), value) for name, value in response.bindings)
                said += [(name, value) for name, value in named if name is not None]
            else:
                queue[:0] = smaller(asked, response.error_status, response.error_index)
    rows = yield from walk(dict.fromkeys(wanted.columns, ROWS), agent)
    for column, found in rows.items():
        said += [((*column, *index), value) for index, value in found.items()]
    if not any(rows.values()):
        said += yield from _following(wanted.columns[-1])
    return said, not agent.silent


def _following(oid: Oid) -> Task[list[tuple[Oid, Value]]]:
    """Return the first objects behind an OID, which a GETBULK of an empty table returns, too."""
    said: list[tuple[Oid, Value]] = []
    at = write_oid(oid)
    for _ in range(ROWS):
        response = yield Request(GET_NEXT, (at,))
        if response is None or response.error_status or not response.bindings:
            break
        at, value = response.bindings[0]
        name = read_oid(at)
        if name is None:
            break
        said.append((name, value))
    return said


def _ask_communities(
    asked: Sequence[tuple[str, Questions]],
    communities: Sequence[bytes],
    settings: Snmp,
    cancel: threading.Event,
    rate: float,
) -> list[tuple[str, Response]]:
    """Return the answers of agents to their questions; each has one of the communities."""
    found: list[tuple[str, Response]] = []

    def accept(index: int, response: Response) -> None:
        found.append((asked[index][0], response))

    def get(index: int) -> Packet:
        return agents.get(index, asked[index][1].gets)

    def bulk(index: int) -> Packet:
        questions = asked[index][1]
        return agents.bulk(index, *questions.columns, once=questions.nexts, rows=ROWS)

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        enlarge_buffers(sock)
        unreachable.enable(sock)
        agents = Agents(sock, [address for address, _ in asked], settings)
        agents.communities = dict(enumerate(communities))
        requests = (get, bulk)
        assert len(requests) <= MAX_DATAGRAMS
        for request in requests:
            agents.request(
                range(len(asked)), request, accept, rate=rate, cancel=cancel, read=read_response
            )
    return found


def _questions(info: SystemInfo) -> Questions:
    return questions(info.sys_descr or "", parse_oid(info.sys_object_id or "") or ())


def _objects(bindings: Iterable[tuple[Oid, Value]]) -> dict[Oid, Object]:
    """Return the values of a response in the types of identification; others are left out."""
    found: dict[Oid, Object] = {}
    for oid, value in bindings:
        object_id = value.oid
        if value.tag == _OCTETS:
            found[oid] = Object(value.octets)
        elif value.tag == _OBJECT_ID and object_id is not None:
            found[oid] = Object(object_id)
        elif value.tag in _NUMBERS and len(value.octets) <= 9:
            found[oid] = Object(int.from_bytes(value.octets, "big", signed=value.tag == 0x02))
    return found
