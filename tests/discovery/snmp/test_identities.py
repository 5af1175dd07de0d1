"""Devices are identified by their agents' answers, asked once, over real datagrams."""

from __future__ import annotations

import json
import random
import threading
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from pyasn1.codec.ber import decoder, encoder
from pyasn1.type.univ import ObjectIdentifier
from pysnmp.proto.api import v2c

import pdsno_cli.lab
from pdsno_cli.discovery.identify.questions import MAX_DATAGRAMS, MAX_GETS, MAX_NEXTS, questions
from pdsno_cli.discovery.identify.recording import read_recording
from pdsno_cli.discovery.identify.rules import RULES
from pdsno_cli.discovery.merge import merge
from pdsno_cli.discovery.probe import ProbeRequest
from pdsno_cli.discovery.snmp import identities, system
from pdsno_cli.discovery.snmp.identities import Identities
from pdsno_cli.discovery.snmp.probe import SnmpProbe
from pdsno_cli.lab import ber
from pdsno_cli.lab.agent import Agent
from pdsno_cli.lab.mib import Mib
from pdsno_cli.lab.plan import make_device
from pdsno_cli.model.probes import IDENTITY
from pdsno_cli.spec.topology import Snmp
from tests.discovery.conftest import responder
from tests.discovery.snmp.table_agent import TableAgent

OWN = Path(pdsno_cli.lab.__file__).parent / "recordings"
EXPECTED = json.loads((OWN / "expected.json").read_text())
NEVER = threading.Event()
ADDRESS = "127.101.26.1"
UPTIME = (1, 3, 6, 1, 2, 1, 1, 3, 0)


def recorded(objects):
    """Return the objects of a recording, for a lab agent."""

    def value(oid, value):
        if isinstance(value, bytes):
            return ber.octets(value)
        if isinstance(value, tuple):
            return ber.object_id(value)
        return ber.number(value, ber.TICKS if oid == UPTIME else ber.GAUGE)

    ordered = sorted(objects)
    return Mib(tuple(ordered), tuple(value(oid, objects[oid].value) for oid in ordered))


class Player:
    """A lab agent that plays a recording, and counts what it is asked."""

    def __init__(self, name):
        self.agent = Agent(make_device(0, ADDRESS, port=0, community="public"), self)
        self.play(name)
        self.asked = []
        self.deaf = False
        self.refuses = False

    def play(self, name):
        self.mib = recorded(read_recording((OWN / f"{name}.snmprec").read_bytes()))

    def of(self, device):
        return self.mib

    def __call__(self, data):
        message, _ = decoder.decode(data, asn1Spec=v2c.Message())
        pdu = v2c.apiMessage.get_pdu(message)
        oids = [tuple(oid) for oid, _ in v2c.apiPDU.get_varbinds(pdu)]
        identifies = oids[0] not in {system.SYS_DESCR, system.IF_PHYS_ADDRESS} and (
            oids[0][: len(system.IF_PHYS_ADDRESS)] != system.IF_PHYS_ADDRESS
        )
        self.asked += [oids] if identifies else []
        if identifies and self.deaf:
            return None
        return self.agent.answer(data)


@contextmanager
def playing(name, address=ADDRESS, port=0):
    player = Player(name)
    with responder(address, player, port) as bound:
        yield player, bound


def sweep(probe, port, *addresses, timeout=0.3):
    settings = Snmp(port=port, timeout=timeout, retries=0, details=None)
    request = ProbeRequest(targets=addresses or (ADDRESS,), snmp=settings, cancel=NEVER)
    return probe.sweep(request)


def identity(answer):
    return {field: answer[field] for field in IDENTITY if field in answer}


@pytest.mark.parametrize("name", EXPECTED)
def test_probe_finds_in_a_few_requests_what_the_whole_recording_says(name):
    with playing(name) as (player, port):
        answer = sweep(SnmpProbe(), port)[ADDRESS]
    expected = {field: EXPECTED[name][field] for field in IDENTITY if field in EXPECTED[name]}
    assert identity(answer) == expected
    assert len(player.asked) <= MAX_DATAGRAMS


def test_device_is_asked_once_and_again_after_a_reboot_or_a_change():
    probe = SnmpProbe()
    with playing("ups-apc") as (player, port):
        first = sweep(probe, port)
        player.asked.clear()
        assert identity(sweep(probe, port)[ADDRESS]) == identity(first[ADDRESS])
        assert player.asked == []
        known = probe._identified._known[ADDRESS, port]
        probe._identified._known[ADDRESS, port] = replace(
            known, uptime=1e9
        )  # it has run for less since
        sweep(probe, port)
        assert len(player.asked) == 2
        player.play("leaf-eos")
        assert sweep(probe, port)[ADDRESS]["vendor"] == "Arista"


def test_facts_outlive_an_agent_that_stops_answering_the_questions():
    probe = SnmpProbe()
    with playing("ups-apc") as (player, port):
        first = identity(sweep(probe, port)[ADDRESS])
        known = probe._identified._known[ADDRESS, port]
        probe._identified._known[ADDRESS, port] = replace(known, at=known.at - identities.AGAIN)
        player.deaf = True
        player.asked.clear()
        assert identity(sweep(probe, port)[ADDRESS]) == first
        assert len(player.asked) == 2
        player.asked.clear()
        assert identity(sweep(probe, port)[ADDRESS]) == first
        assert player.asked == []


def test_agent_that_answers_no_question_is_what_its_description_says():
    with playing("edge-router-junos") as (player, port):
        player.deaf = True
        answer = identity(sweep(SnmpProbe(), port)[ADDRESS])
    assert answer == {
        "vendor": "Juniper",
        "type": "router",
        "os": "Junos",
        "version": "22.4R3-S2.11",
        "model": "mx204",
    }


def test_many_devices_are_told_apart():
    names = dict(zip((f"127.101.26.{n}" for n in range(10, 40)), EXPECTED, strict=False))
    with ExitStack() as stack:
        port = 0
        for address, name in names.items():
            _, port = stack.enter_context(playing(name, address, port))
        found = sweep(SnmpProbe(), port, *names)
    assert {address: answer["vendor"] for address, answer in found.items()} == {
        address: EXPECTED[name]["vendor"] for address, name in names.items()
    }


def test_broken_answers_to_the_questions_cost_facts_but_no_error():
    chance = random.Random(7)
    player = Player("leaf-eos")

    def spoilt(data):
        player.asked.clear()
        answer = player(data)
        if not player.asked or answer is None:
            return answer
        octets = bytearray(answer)
        for _ in range(chance.randrange(1, 6)):
            octets[chance.randrange(len(octets))] = chance.randrange(256)
        return bytes(octets[: chance.randrange(2, len(octets) + 1)])

    with responder(ADDRESS, spoilt) as port:
        for _ in range(40):
            answer = identity(sweep(SnmpProbe(), port, timeout=0.05)[ADDRESS])
            assert answer["vendor"] == "Arista"
            assert all(0 < len(text) <= 255 and text.isprintable() for text in answer.values())


@pytest.mark.parametrize("octets", [b"\xff" * 1500, b"\x1b[31m" * 50, b"", b"\0" * 40])
def test_odd_values_are_bounded_and_printable(octets):
    with playing("leaf-eos") as (player, port):
        kept = {system.SYS_DESCR, system.SYS_NAME}
        player.mib = Mib(
            player.mib.oids,
            tuple(
                ber.octets(octets) if value[0] == ber.OCTETS and oid not in kept else value
                for oid, value in zip(player.mib.oids, player.mib.values, strict=True)
            ),
        )
        answer = identity(sweep(SnmpProbe(), port)[ADDRESS])
    assert answer["model"] == "DCS-7050SX3-48YC8"  # of sysDescr
    assert all(0 < len(text) <= 255 and text.isprintable() for text in answer.values())


def test_identity_travels_in_extra_of_the_device():
    with playing("leaf-eos") as (_, port):
        (seen,) = merge({"snmp": sweep(SnmpProbe(), port)})
    assert seen.extra["vendor"] == "Arista"
    assert seen.extra["serial"] == "JPE0000ZZ07"


def test_uptime_is_that_of_the_last_cycle():
    identities = Identities()
    settings = Snmp(port=9, timeout=0.01, retries=0)
    for uptime in (5.0, 900.0):
        identities.of({ADDRESS: system.SystemInfo(sys_descr="x", uptime=uptime)}, settings, NEVER)
    (known,) = identities._known.values()
    assert known.uptime == 900.0
    assert not known.complete


def test_cycle_cut_short_is_not_remembered():
    cancelled = threading.Event()
    cancelled.set()
    identities = Identities()
    with playing("leaf-eos") as (_, port):
        found = {ADDRESS: system.SystemInfo(sys_descr="x")}
        identities.of(found, Snmp(port=port, timeout=0.1, retries=0), cancelled)
    assert not identities._known


def test_memory_of_identities_is_bounded(monkeypatch):
    monkeypatch.setattr(identities, "MAX_REMEMBERED", 2)
    memory = Identities()
    for number in range(5):
        found = {f"127.101.27.{number}": system.SystemInfo(sys_descr="x")}
        memory.of(found, Snmp(port=9, timeout=0.01, retries=0), NEVER)
    assert [address for address, _ in memory._known] == ["127.101.27.3", "127.101.27.4"]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.os)
def test_questions_are_bounded_for_every_rule(rule):
    prefix = rule.oid if isinstance(rule.oid, str) else (rule.oid or ("8072.3.2.10",))[0]
    asked = questions("x", (1, 3, 6, 1, 4, 1, *map(int, prefix.split("."))))
    assert 0 < len(asked.gets) <= MAX_GETS
    assert len(asked.nexts) <= MAX_NEXTS
    for oids in (asked.gets, asked.nexts + asked.columns):
        # An OID, a null and the tags of both: the request and its headers fit into one frame.
        assert sum(len(encoder.encode(ObjectIdentifier(oid))) + 4 for oid in oids) < 1_350


def test_no_question_of_a_general_purpose_system_is_cut_off():
    asked = questions("Linux a 6.1.0", (1, 3, 6, 1, 4, 1, 8072, 3, 2, 10))
    assert len(asked.gets) < MAX_GETS
    assert len(asked.nexts) < MAX_NEXTS


def recorded_agent(name, **oddities):
    objects = {
        oid: v2c.TimeTicks(item.value % 2**32) if oid == UPTIME
        else v2c.Counter64(item.value) if isinstance(item.value, int) and item.value >= 2**31
        else item.value
        for oid, item in read_recording((OWN / f"{name}.snmprec").read_bytes()).items()
    }  # fmt: skip
    return TableAgent(objects, **oddities)


@pytest.mark.parametrize(
    "oddity",
    [{"single": True}, {"v1": True}, {"bulk": False}, {"bulk": False, "single": True, "v1": True}],
    ids="-".join,
)
@pytest.mark.parametrize("name", EXPECTED)
def test_agent_that_takes_only_small_or_old_requests_is_identified_as_well(name, oddity):
    with responder(ADDRESS, recorded_agent(name)) as port:
        whole = sweep(SnmpProbe(), port)[ADDRESS]
    agent = recorded_agent(name, **oddity)
    with responder(ADDRESS, agent) as port:
        probe = SnmpProbe()
        assert sweep(probe, port, timeout=0.15)[ADDRESS] == whole
        agent.asked.clear()
        assert sweep(probe, port, timeout=0.15)[ADDRESS] == whole
    assert len(agent.asked) < 30  # the system group and the first MAC, no question again
