"""Details are read over real datagrams from agents that are whole, small, old and broken."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import ExitStack

import msgspec
import pytest
from pysnmp.proto.api import v2c

from pdsno_cli.discovery.snmp.details.conversations import Conversations
from pdsno_cli.discovery.snmp.details.detail import read_detail
from pdsno_cli.discovery.udp import UdpSockets
from pdsno_cli.model.details import MAX_INTERFACES, Detail
from pdsno_cli.spec.topology import Details
from tests.discovery.conftest import responder
from tests.discovery.snmp.details.switch import DETAIL, IF, IFX, LLDP, OBJECTS, STATIONS, SYSTEM
from tests.discovery.snmp.table_agent import TableAgent, if_table, parse

ADDRESS = "127.101.40.1"
NEVER = threading.Event()


def read(agent, wanted=None, *, object_id=(), timeout=0.3, tries=1, seconds=20.0, cancel=NEVER):
    """Return the reading of an agent, None if it did not end."""
    with (
        responder(ADDRESS, agent) as port,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock,
    ):
        sock.setblocking(False)
        conversations = Conversations(
            UdpSockets([sock]), {ADDRESS: b"public"}, port=port, timeout=timeout, tries=tries
        )
        task = read_detail(wanted or Details(), object_id)
        found = conversations.run([(ADDRESS, task)], cancel, time.monotonic() + seconds)
    return found.get(ADDRESS)


def test_detail_of_a_switch():
    reading = read(TableAgent(OBJECTS))
    assert reading.detail == DETAIL
    assert reading.marks == (5000, 7000)
    assert reading.complete


def test_forwarding_table_is_read_on_request():
    detail = read(TableAgent(OBJECTS), Details(forwarding=True)).detail
    assert detail.stations == STATIONS
    assert msgspec.structs.replace(detail, stations=None) == DETAIL


def test_forwarding_table_of_a_bridge_without_vlans():
    bridge = (1, 3, 6, 1, 2, 1, 17)
    objects = SYSTEM | {
        (*IFX, 1, 5): "eth5",
        (*bridge, 1, 4, 1, 2, 3): 5,
        (*bridge, 4, 3, 1, 2, 0, 0x50, 0x56, 9, 9, 9): 3,
        (*bridge, 4, 3, 1, 3, 0, 0x50, 0x56, 9, 9, 9): 3,
    }
    (station,) = read(TableAgent(objects), Details(forwarding=True)).detail.stations
    assert (station.mac, station.interface, station.vlan) == ("00:50:56:09:09:09", "eth5", None)


class IosAgent(TableAgent):
    """Serves the bridge of a VLAN to ``COMMUNITY@VLAN`` alone, as IOS does."""

    def __init__(self, objects, bridges):
        super().__init__(objects)
        self.bridges = {
            self.community + b"@%d" % vlan: TableAgent(
                rows, community=self.community + b"@%d" % vlan
            )
            for vlan, rows in bridges.items()
        }
        self.communities = []

    def __call__(self, data):
        community = parse(parse(data)[0][1])[1][1]
        self.communities.append(community)
        return self.bridges.get(community, super().__call__)(data)


def bridge_of(port, interface, *stations):
    """Return a bridge with one port and what it learned there; its own address is no station."""
    bridge = (1, 3, 6, 1, 2, 1, 17)
    rows = {(*bridge, 1, 4, 1, 2, port): interface}
    for octet, state in (*((octet, 3) for octet in stations), (99, 4)):
        rows[(*bridge, 4, 3, 1, 2, 0, 0x50, 0x56, 9, 9, octet)] = port
        rows[(*bridge, 4, 3, 1, 3, 0, 0x50, 0x56, 9, 9, octet)] = state
    return rows


CISCO = (1, 3, 6, 1, 4, 1, 9, 1, 1208)
VTP_NAME = (1, 3, 6, 1, 4, 1, 9, 9, 46, 1, 3, 1, 1, 4, 1)
IOS = SYSTEM | {
    (*IFX, 1, 10101): "Gi1/0/1",
    (*IFX, 1, 10102): "Gi1/0/2",
    **{(*VTP_NAME, vlan): f"vlan {vlan}" for vlan in (1, 20, 30, *range(1002, 1006))},
}


def test_forwarding_tables_of_a_switch_with_a_bridge_for_each_vlan():
    # Each bridge numbers its ports by itself.
    agent = IosAgent(IOS, {1: bridge_of(1, 10101, 1, 2), 20: {}, 30: bridge_of(1, 10102, 2)})
    reading = read(agent, Details(forwarding=True), object_id=CISCO)
    assert [(s.mac[-2:], s.interface, s.vlan) for s in reading.detail.stations] == [
        ("01", "Gi1/0/1", 1),
        ("02", "Gi1/0/1", 1),
        ("02", "Gi1/0/2", 30),
    ]
    assert reading.complete
    assert set(agent.communities) == {b"public", b"public@1", b"public@20", b"public@30"}


def test_agent_that_knows_no_communities_of_vlans_is_asked_for_few():
    agent = IosAgent(IOS, {})
    reading = read(agent, Details(forwarding=True), object_id=CISCO, timeout=0.05)
    assert reading.detail.stations == ()
    assert reading.complete
    assert [name for name in agent.communities if b"@" in name] == [b"public@1", b"public@20"]


def test_neighbours_of_an_agent_that_serves_lldp_v2_alone():
    """Columns are one further on, and the destination address stands before the neighbour."""
    v2 = (1, 3, 111, 2, 802, 1, 1, 13, 1)
    remote, management = (*LLDP, 4, 1, 1), (*LLDP, 4, 2, 1, 3)
    objects = {}
    for oid, item in OBJECTS.items():
        if oid[: len(LLDP)] != LLDP:
            objects[oid] = item
        elif oid[: len(remote)] == remote:
            column, time_mark, port, number = oid[len(remote) :]
            objects[(*v2, 4, 1, 1, column + 1, time_mark, port, 1, number)] = item
        elif oid[: len(management)] == management:
            time_mark, port, number, *address = oid[len(management) :]
            objects[(*v2, 4, 2, 1, 3, time_mark, port, 1, number, *address)] = item
        elif oid[len(LLDP) :] in {(3, 1, 0), (3, 2, 0)}:
            objects[(*v2, *oid[len(LLDP) :])] = item
    assert read(TableAgent(objects)).detail == DETAIL


def test_vlan_of_a_station_where_no_database_is_told_of():
    told = (1, 3, 6, 1, 2, 1, 17, 7, 1, 4, 2)
    learned = (1, 3, 6, 1, 2, 1, 17, 7, 1, 2, 2, 1)
    objects = {oid: item for oid, item in OBJECTS.items() if oid[: len(told)] != told}
    for column, item in ((2, 1), (3, 3)):
        objects[(*learned, column, 20, 0, 0x50, 0x56, 1, 2, 5)] = item
    stations = read(TableAgent(objects), Details(forwarding=True)).detail.stations
    # 20 is a VLAN of this switch; what 7 and 8 are, nobody says.
    assert [(station.mac[-2:], station.vlan) for station in stations] == [
        ("03", None),
        ("04", None),
        ("05", 20),
    ]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Details(neighbours=False), msgspec.structs.replace(DETAIL, neighbours=(), chassis="")),
        (Details(interfaces=False), msgspec.structs.replace(DETAIL, interfaces=(), vlans=())),
    ],
)
def test_only_what_is_wanted_is_read(wanted, expected):
    detail = read(TableAgent(OBJECTS), wanted).detail
    if (
        not wanted.interfaces
    ):  # the MAC that names port 2 is not read: it is interface 2 all the same
        assert [n.interface for n in detail.neighbours] == [n.interface for n in DETAIL.neighbours]
    assert detail == expected


def test_agent_without_tables_costs_one_request():
    agent = TableAgent(SYSTEM)
    assert read(agent).detail == Detail()
    assert len(agent.asked) == 1


@pytest.mark.parametrize(
    "oddity",
    [
        {"varbinds": 1},
        {"varbinds": 7},
        {"single": True},
        {"bulk": False},
        {"v1": True},
        {"v1": True, "bulk": False, "single": True},
    ],
)
def test_agent_that_answers_only_small_or_single_requests_loses_nothing(oddity):
    reading = read(TableAgent(OBJECTS, **oddity), timeout=0.15)
    assert reading.detail == DETAIL
    assert reading.complete


def test_equal_devices_have_equal_details():
    first = read(TableAgent(OBJECTS)).detail
    second = read(TableAgent(dict(reversed(OBJECTS.items())), varbinds=5)).detail
    assert first == second
    assert first.digest == second.digest


def test_wrong_types_lose_one_value_each():
    objects = OBJECTS | {
        (*IF, 7, 1): "1",  # digits for a number
        (*IF, 8, 1): (1, 3),
        (*IFX, 1, 2): v2c.Counter32(17),  # a counter for text
        (*IF, 6, 49): b"short",
        (*IF, 6, 1): b"00:1B:54:AA:00:01",  # text for octets
        (*IFX, 18, 49): b"\xff\xfe\x00" + b"x" * 60_000,
    }
    detail = read(TableAgent(objects, varbinds=20)).detail
    first, second, third, _ = detail.interfaces
    assert (first.admin, first.state, first.mac) == ("up", None, "00:1b:54:aa:00:01")
    assert second.name == "17"
    assert third.mac is None
    assert third.alias.startswith("ÿþ")
    assert len(third.alias) == 255
    assert len(detail.neighbours) == len(DETAIL.neighbours)


class Spoiling(TableAgent):
    """Passes each answer through a function."""

    spoil = staticmethod(lambda data: data)

    def __call__(self, data):
        answer = super().__call__(data)
        return None if answer is None else self.spoil(answer)


def spoiled(objects, spoil, **oddities):
    agent = Spoiling(objects, **oddities)
    agent.spoil = spoil
    return agent


def test_answers_that_are_cut_off_lose_no_row():
    detail = read(spoiled(OBJECTS, lambda data: data[:-7] if len(data) > 200 else data)).detail
    assert detail == DETAIL


def test_answers_that_come_twice_count_once():
    class Twice:
        def __init__(self, agent):
            self.agent = agent

    agent = TableAgent(OBJECTS)
    with ExitStack() as stack:
        peer = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        peer.bind((ADDRESS, 0))
        stop = threading.Event()

        def serve():
            peer.settimeout(0.05)
            while not stop.is_set():
                try:
                    data, client = peer.recvfrom(65535)
                except TimeoutError:
                    continue
                for _ in range(3):
                    peer.sendto(agent(data), client)

        thread = threading.Thread(target=serve)
        thread.start()
        stack.callback(thread.join)
        stack.callback(stop.set)
        sock = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        sock.setblocking(False)
        conversations = Conversations(
            UdpSockets([sock]),
            {ADDRESS: b"public"},
            port=peer.getsockname()[1],
            timeout=1.0,
            tries=1,
        )
        found = conversations.run([(ADDRESS, read_detail(Details()))], NEVER, time.monotonic() + 9)
    assert found[ADDRESS].detail == DETAIL
    assert conversations.stray == {}


def test_reply_from_another_address_is_counted_and_not_believed():
    other = "127.101.40.9"
    agent = TableAgent(OBJECTS)
    with ExitStack() as stack:
        impostor = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        impostor.bind((other, 0))
        sock = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        sock.bind(("127.0.0.1", 0))
        sock.setblocking(False)
        own = sock.getsockname()

        def answer(data):
            impostor.sendto(agent(data), own)

        port = stack.enter_context(responder(ADDRESS, answer))
        conversations = Conversations(
            UdpSockets([sock]), {ADDRESS: b"public"}, port=port, timeout=0.1, tries=1
        )
        found = conversations.run([(ADDRESS, read_detail(Details()))], NEVER, time.monotonic() + 9)
    assert found[ADDRESS].detail == Detail()
    assert not found[ADDRESS].complete
    assert conversations.stray == {ADDRESS: {other: 4}}  # one for each manner of asking


def test_loop_and_endless_table_end():
    class Endless(TableAgent):
        """Serves an ifDescr without end, and an ifName that comes round again."""

        number = 0

        def following(self, at, name):
            binding, place = super().following(at, name)
            if binding in self.bindings and self.order[at][: len(IFX) + 1] == (*IFX, 1):
                return self.bindings[self.order.index((*IFX, 1, 1))], place
            return binding, place

    objects = SYSTEM | {(*IFX, 1, n): f"if{n}" for n in (1, 2)}
    objects |= {(*IF, 2, n): f"port {n}" for n in range(1, MAX_INTERFACES + 500)}
    reading = read(Endless(objects))
    assert len(reading.detail.interfaces) == MAX_INTERFACES
    assert reading.detail.interfaces[0].name == "if1"


def test_rows_that_do_not_rise_are_kept():
    rising = if_table(12)

    class Unordered(TableAgent):
        """Serves the rows of ifDescr in another order."""

        def change(self, objects):
            super().change(objects)
            place = {oid: at for at, oid in enumerate(self.order)}
            swapped = [place[(*IF, 2, n)] for n in (1, 9, 3, 11, 5, 2, 7, 8, 4, 10, 6, 12)]
            first = place[(*IF, 2, 1)]
            self.bindings[first : first + 12] = [self.bindings[at] for at in swapped]
            self.order[first : first + 12] = [self.order[at] for at in swapped]
            names = {binding: at for at, binding in enumerate(self.bindings)}
            self.places = {n: names[b] for n, b in ((self.name(b), b) for b in self.bindings)}

        @staticmethod
        def name(binding):
            from tests.discovery.snmp.table_agent import parse

            return parse(parse(binding)[0][1])[0][1]

    detail = read(Unordered(SYSTEM | rising)).detail
    assert [i.name for i in detail.interfaces] == [f"GigabitEthernet1/0/{n}" for n in range(1, 13)]


def test_agent_that_falls_silent_keeps_the_rows_so_far():
    class Tired(TableAgent):
        def __call__(self, data):
            return super().__call__(data) if len(self.asked) < 3 else None

    reading = read(Tired(SYSTEM | if_table(200)), timeout=0.1)
    assert not reading.complete
    assert 0 < len(reading.detail.interfaces) < 200


def test_lost_datagrams_lose_no_row():
    class Lossy(TableAgent):
        lost = 0

        def __call__(self, data):
            self.lost += 1
            return super().__call__(data) if self.lost % 4 else None

    reading = read(Lossy(OBJECTS, varbinds=10), timeout=0.1, tries=2)
    assert reading.complete
    assert reading.detail == DETAIL


def test_cancel_ends_a_reading():
    cancel = threading.Event()
    threading.Timer(0.2, cancel.set).start()
    started = time.monotonic()
    assert read(lambda _: None, timeout=30.0, cancel=cancel) is None
    assert time.monotonic() - started < 15  # and not after the timeout


def test_closed_port_ends_a_reading_at_once():
    started = time.monotonic()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        from pdsno_cli.discovery import unreachable

        sock.setblocking(False)
        unreachable.enable(sock)
        conversations = Conversations(
            UdpSockets([sock]), {ADDRESS: b"x"}, port=9, timeout=30.0, tries=3
        )
        found = conversations.run([(ADDRESS, read_detail(Details()))], NEVER, started + 60)
    assert not found[ADDRESS].complete
    assert time.monotonic() - started < 15  # and not after the timeout


def test_lldp_capabilities_as_net_snmp_prints_them():
    objects = OBJECTS | {(*LLDP, 4, 1, 1, 12, 9000, 1, 1): "28 2 4"}
    assert read(TableAgent(objects)).detail.neighbours[0].capabilities == ("bridge", "router")
