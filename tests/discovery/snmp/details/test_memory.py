"""A device's details are read when it is new, restarted or changed, and each interval."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import replace

import pytest
from pysnmp.proto.api import v2c

from pdsno_cli.discovery.probe import Findings, ProbeRequest
from pdsno_cli.discovery.snmp.details import memory
from pdsno_cli.discovery.snmp.details.memory import DetailReader
from pdsno_cli.discovery.snmp.probe import SnmpProbe
from pdsno_cli.discovery.snmp.system import SystemInfo
from pdsno_cli.discovery.sweep import sweep
from pdsno_cli.model.details import Detail
from pdsno_cli.model.targets import AddressSet
from pdsno_cli.spec.topology import Details, Snmp
from tests.discovery.conftest import responder
from tests.discovery.snmp.details.switch import DETAIL, IF_CHANGED, LLDP_CHANGED, OBJECTS, SYSTEM
from tests.discovery.snmp.table_agent import BULK, TableAgent

ADDRESS = "127.101.41.1"
UPTIME = (1, 3, 6, 1, 2, 1, 1, 3, 0)
NAME = (1, 3, 6, 1, 2, 1, 1, 5, 0)
NEVER = threading.Event()


class Reader:
    """One probe that sweeps again and again."""

    def __init__(self, port, *addresses):
        self.probe, self.addresses = SnmpProbe(), AddressSet.of(addresses or (ADDRESS,))
        self.snmp = Snmp(port=port, timeout=0.2, retries=0)

    def cycle(self, cancel=NEVER, **settings):
        findings = Findings()
        request = ProbeRequest(
            targets=self.addresses,
            snmp=replace(self.snmp, **settings),
            cancel=cancel,
            findings=findings,
        )
        assert self.probe.sweep(request) or settings
        return findings.details

    def pass_time(self, seconds):
        """Let everything that was read be older."""
        known = self.probe._details()._known
        for key, item in known.items():
            known[key] = replace(item, read=item.read - seconds, due=item.due - seconds)


@contextmanager
def reading(objects=OBJECTS, **oddities):
    agent = TableAgent(objects, **oddities)
    with responder(ADDRESS, agent) as port:
        yield agent, Reader(port)


def test_details_of_a_device_are_read_once():
    with reading() as (_, reader):
        assert reader.cycle() == {ADDRESS: DETAIL}
        assert reader.cycle() == {}


def test_sweep_returns_the_details():
    with responder(ADDRESS, TableAgent(OBJECTS)) as port:
        result = sweep([ADDRESS], ["snmp"], Snmp(port=port))
    assert result.details == {ADDRESS: DETAIL}
    assert result.observations[0].sys_name == "sw-1"
    assert result.observations[0].extra is None or "marks" not in result.observations[0].extra


@pytest.mark.parametrize(
    ("changed", "again"),
    [
        ({NAME: "sw-2"}, True),
        ({UPTIME: v2c.TimeTicks(5)}, True),  # a restart
        ({UPTIME: v2c.TimeTicks(361000)}, False),
        ({IF_CHANGED: v2c.TimeTicks(355000)}, True),
        ({LLDP_CHANGED: v2c.TimeTicks(355000)}, True),
    ],
)
def test_details_are_read_again_after_a_change(changed, again):
    with reading() as (agent, reader):
        reader.cycle()
        reader.pass_time(memory.AGAIN_CHANGED)
        agent.change(OBJECTS | changed)
        assert bool(reader.cycle()) is again
        assert reader.cycle() == {}


def test_device_that_always_changes_is_not_read_each_cycle():
    with reading() as (agent, reader):
        reader.cycle()
        agent.change(OBJECTS | {LLDP_CHANGED: v2c.TimeTicks(8000)})
        assert reader.cycle() == {}
        reader.pass_time(memory.AGAIN_CHANGED)
        assert set(reader.cycle()) == {ADDRESS}


def test_details_are_read_again_after_the_interval():
    with reading() as (_, reader):
        details = Details(interval=1000.0)
        reader.cycle(details=details)
        reader.pass_time(400)  # the first interval is half to whole, by the address
        assert reader.cycle(details=details) == {}
        reader.pass_time(601)
        assert set(reader.cycle(details=details)) == {ADDRESS}
        reader.pass_time(990)
        assert reader.cycle(details=details) == {}


def test_nothing_is_read_where_no_details_are_wanted():
    with reading() as (agent, reader):
        assert reader.cycle(details=None) == {}
        assert sum(kind == BULK for kind, _ in agent.asked) <= 2  # the MAC, the identity


def test_device_with_two_addresses_is_read_once():
    second = "127.101.41.2"
    agent = TableAgent(OBJECTS)
    with responder(ADDRESS, agent) as port, responder(second, agent, port):
        assert set(Reader(port, ADDRESS, second).cycle()) == {ADDRESS}


def test_two_devices_of_one_kind_are_read_both():
    second = "127.101.41.2"
    mac = (1, 3, 6, 1, 2, 1, 2, 2, 1, 6, 1)
    other = TableAgent(OBJECTS | {mac: b"\x00\x1b\x54\xaa\x11\x11"})
    with responder(ADDRESS, TableAgent(OBJECTS)) as port, responder(second, other, port):
        assert set(Reader(port, ADDRESS, second).cycle()) == {ADDRESS, second}


def test_silence_takes_no_details_away():
    class Moody(TableAgent):
        answers = 1_000_000

        def __call__(self, data):
            self.answers -= 1
            return super().__call__(data) if self.answers >= 0 else None

    agent = Moody(OBJECTS)
    with responder(ADDRESS, agent) as port:
        reader = Reader(port)
        assert reader.cycle() == {ADDRESS: DETAIL}
        for _ in range(2):
            reader.pass_time(1000)
            agent.answers = 4  # of the sweep's three requests and the reading's several
            assert reader.cycle() == {}
        agent.answers = 1_000_000
        reader.pass_time(memory.AGAIN_SILENT)
        assert reader.cycle() == {ADDRESS: DETAIL}


def test_details_of_a_sweep_that_was_cancelled_are_read_again():
    with reading() as (_, reader):
        cancel = threading.Event()
        assert set(reader.cycle(cancel)) == {ADDRESS}
        cancel.set()  # while another protocol was still at work: the caller drops the result
        assert set(reader.cycle()) == {ADDRESS}
        assert reader.cycle() == {}


def test_agent_with_nothing_but_a_system_group_has_empty_details():
    with reading(SYSTEM) as (_, reader):
        assert reader.cycle() == {ADDRESS: Detail()}


def test_many_agents_are_read_at_the_same_time():
    count = 150
    addresses = [f"127.101.42.{n}" for n in range(1, count + 1)]
    import select
    import socket
    from contextlib import ExitStack

    with ExitStack() as stack:
        first = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        first.bind((addresses[0], 0))
        port, poller, sockets = first.getsockname()[1], select.poll(), {first.fileno(): first}
        for address in addresses[1:]:
            sock = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            sock.bind((address, port))
            sockets[sock.fileno()] = sock
        for descriptor in sockets:
            poller.register(descriptor, select.POLLIN)
        agents = {fd: TableAgent(OBJECTS | {NAME: f"sw-{fd}"}) for fd in sockets}
        stop = threading.Event()

        def serve():
            while not stop.is_set():
                for descriptor, _ in poller.poll(50):
                    data, peer = sockets[descriptor].recvfrom(65535)
                    sockets[descriptor].sendto(agents[descriptor](data), peer)

        thread = threading.Thread(target=serve)
        thread.start()
        stack.callback(thread.join)
        stack.callback(stop.set)
        started = time.monotonic()
        found = Reader(port, *addresses).cycle(timeout=1.0, retries=2)
        assert time.monotonic() - started < 20
    assert found == dict.fromkeys(addresses, DETAIL)


def test_details_are_read_at_the_rate_that_is_wanted():
    agent = TableAgent(OBJECTS)
    with responder(ADDRESS, agent) as port:
        findings, started = Findings(), time.monotonic()
        found = {ADDRESS: SystemInfo(sys_name="sw-1")}
        DetailReader().read(found, Snmp(port=port), findings, NEVER, rate=20.0)
        seconds = time.monotonic() - started
    assert findings.details == {ADDRESS: DETAIL}
    assert len(agent.asked) > 5
    assert seconds >= (len(agent.asked) - 1) / 20.0
