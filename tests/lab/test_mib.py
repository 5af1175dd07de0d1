"""What the agents of a lab serve, object by object."""

from __future__ import annotations

import itertools
import tracemalloc

import pytest
from pyasn1.codec.ber import decoder
from pysnmp.proto import rfc1902
from pysnmp.proto.api import v2c

from pdsno_cli.lab import ber
from pdsno_cli.lab.agent import Agent
from pdsno_cli.lab.mib import SYS_NAME, SYS_UP_TIME, Mibs, Running, build
from pdsno_cli.lab.models import MODELS, model
from pdsno_cli.lab.network import Network
from pdsno_cli.lab.plan import Segment, make_device, plan
from pdsno_cli.lab.recording import names
from pdsno_cli.model.targets import expand
from tests.lab.oracle import read, request

IF_PHYS_ADDRESS = (1, 3, 6, 1, 2, 1, 2, 2, 1, 6)
SERIAL = (1, 3, 6, 1, 2, 1, 47, 1, 1, 1, 1, 11)


def alone(recording, number=0, address="127.102.2.1"):
    return make_device(number, address, port=161, community="lab", model=model(recording))


def mib_of(device):
    return build(device, Network([device]))


@pytest.fixture(scope="module")
def zone():
    segments = [
        Segment(targets=expand(["127.77.1.1-127.77.1.30"])),
        Segment(targets=expand(["127.77.2.1-127.77.2.23"])),
    ]
    return plan(segments, devices=53, snmp=25)


def test_every_recording_is_a_model():
    assert sorted(item.recording for item in MODELS) == list(names())


@pytest.mark.parametrize("recording", names())
def test_a_walk_by_getnext_reads_every_object_once_in_order(recording):
    device = alone(recording)
    agent, mib = Agent(device, Mibs(Network([device]))), mib_of(device)
    walked, oid = [], (0, 0)
    while True:
        answer = agent.answer(request(v2c.GetNextRequestPDU(), [oid]))
        _, status, _, [(following, value)] = read(answer)
        assert status == 0
        if type(value).__name__ == "EndOfMibView":
            break
        oid = following
        walked.append(oid)
    assert walked == list(mib.oids) == sorted(mib.oids)


def test_bulk_of_mixed_columns_ends_each_at_the_end_of_the_view():
    device = alone("printer-jetdirect")
    agent, mib = Agent(device, Mibs(Network([device]))), mib_of(device)
    last, before = mib.oids[-1], mib.oids[-3]
    _, status, _, pairs = read(
        agent.answer(request(v2c.GetBulkRequestPDU(), [SYS_NAME[:-1], before, last], 1, 3))
    )
    assert status == 0
    assert pairs[0][0] == SYS_NAME
    rows = [pairs[1:3], pairs[3:5], pairs[5:7]]
    assert [row[0][0] for row in rows] == [mib.oids[-2], last, last]
    ended = [[value is not None and type(value).__name__ for _, value in row] for row in rows]
    assert [row[1] for row in ended] == ["EndOfMibView"] * 3
    assert [row[0] == "EndOfMibView" for row in ended] == [False, False, True]


def test_get_of_what_is_not_there_is_no_such_object():
    device = alone("camera-axis")
    agent = Agent(device, Mibs(Network([device])))
    _, _, _, pairs = read(agent.answer(request(v2c.GetRequestPDU(), [(1, 3, 9), SYS_NAME])))
    assert type(pairs[0][1]).__name__ == "NoSuchObject"
    assert bytes(pairs[1][1]) == b"cam-gate-01"


@pytest.mark.parametrize("recording", names())
def test_every_value_is_one_of_smi(recording):
    mib = mib_of(alone(recording))
    for value in mib.values:
        encoded = value.at(10.5) if isinstance(value, Running) else value
        _, rest = decoder.decode(encoded, asn1Spec=rfc1902_type(encoded[0]))
        assert not rest


def rfc1902_type(tag):
    kinds = {
        0x02: rfc1902.Integer32, 0x04: rfc1902.OctetString, 0x06: rfc1902.ObjectIdentifier,
        0x40: rfc1902.IpAddress, 0x41: rfc1902.Counter32, 0x42: rfc1902.Gauge32,
        0x43: rfc1902.TimeTicks, 0x46: rfc1902.Counter64,
    }  # fmt: skip
    return kinds[tag]()


def test_no_two_devices_share_a_name_serial_number_mac_or_address(zone):
    network = Network(zone)
    seen = set()
    for device in zone:
        if device.snmp:
            mib = build(device, network)
            own = {
                (oid, value)
                for oid, value in zip(mib.oids, mib.values, strict=True)
                if oid == SYS_NAME
                or (oid[:-1] in {SERIAL, IF_PHYS_ADDRESS} and value != ber.octets(b""))
            }
            values = {value for _, value in own}
            assert not values & seen, device
            seen |= values
    serials = {value for oid, value in zip(mib.oids, mib.values, strict=True) if oid[:-1] == SERIAL}
    assert serials  # the last device is a switch


def test_the_first_physical_address_is_the_one_that_arp_answers_with(zone):
    network = Network(zone)
    for device in zone:
        if device.snmp:
            mib = build(device, network)
            column = [
                value
                for oid, value in zip(mib.oids, mib.values, strict=True)
                if oid[:-1] == IF_PHYS_ADDRESS and value != ber.octets(b"")
            ]
            assert column[0] == ber.octets(bytes.fromhex(device.mac.replace(":", "")))


def test_a_text_that_holds_the_serial_number_holds_the_devices_own():
    first, second = (
        mib_of(alone("printer-jetdirect", number, f"127.102.2.{number}")) for number in (1, 2)
    )
    descr = (1, 3, 6, 1, 2, 1, 1, 1, 0)
    texts = [mib.values[mib.find(descr)] for mib in (first, second)]
    assert b"SN:CNZZ00002" in texts[0]
    assert b"SN:CNZZ00003" in texts[1]


def test_uptime_and_counters_run():
    mib = mib_of(alone("edge-router-junos"))
    uptime = mib.values[mib.find(SYS_UP_TIME)]
    assert uptime.at(12.34) == ber.number(1234, ber.TICKS)
    assert uptime.at(2**32 / 100 + 1) == ber.number(100, ber.TICKS)  # after 497 days


def test_objects_are_kept_for_the_devices_asked_last(zone):
    speaking = [device for device in zone if device.snmp]
    mibs = Mibs(Network(zone), limit=3000)
    for device in itertools.chain(speaking, speaking):
        assert mibs.of(device) == build(device, Network(zone))
    last = mibs.of(speaking[-1])
    assert mibs.of(speaking[-1]) is last
    assert mibs.of(speaking[0]) is not mibs.of(speaking[1])


def test_memory_does_not_grow_with_the_number_of_devices():
    segments = [
        Segment(targets=expand([f"127.{80 + n}.0.1-127.{80 + n}.0.250"])) for n in range(12)
    ]
    devices = plan(segments, devices=3000, snmp=3000)
    mibs = Mibs(Network(devices), limit=30_000)
    tracemalloc.start()
    try:
        for device in devices[:500]:
            mibs.of(device)
        early, _ = tracemalloc.get_traced_memory()
        for device in devices[500:]:
            mibs.of(device)
        late, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert late < 2 * early
