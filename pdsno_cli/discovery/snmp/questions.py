"""Asks SNMP agents the questions of identification, each agent as much at a time as it takes."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from pdsno_cli.discovery.identify.answers import Object
from pdsno_cli.discovery.identify.questions import MAX_DATAGRAMS, ROWS, Questions, questions
from pdsno_cli.discovery.snmp.agents import Agents
from pdsno_cli.discovery.snmp.ber import Oid, Response, Value, read_oid, read_response
from pdsno_cli.discovery.snmp.ber_write import GET, GET_NEXT, Packet, write_oid
from pdsno_cli.discovery.snmp.details.conversations import converse
from pdsno_cli.discovery.snmp.details.exchange import Request, Task
from pdsno_cli.discovery.snmp.details.walk import Agent, walk
from pdsno_cli.discovery.snmp.system import smaller
from pdsno_cli.discovery.udp import udp_sockets
from pdsno_cli.model.snmprec import parse_oid

if TYPE_CHECKING:
    import threading

    from pdsno_cli.discovery.snmp.system import SystemInfo
    from pdsno_cli.spec.topology import Snmp

SECONDS = 30.0  # of a cycle that the questions to odd agents and those of SNMPv3 may take

_OCTETS, _OBJECT_ID = 0x04, 0x06
# INTEGER, Counter32, Gauge32, TimeTicks, Counter64
_NUMBERS = frozenset({0x02, 0x41, 0x42, 0x43, 0x46})


def ask(
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
        from pdsno_cli.discovery.snmp.v3 import run_users

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

    addresses = [address for address, _ in asked]
    with udp_sockets(addresses) as sockets:
        agents = Agents(sockets, addresses, settings)
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
