"""Several credentials in order: communities of agents, users of Debian's snmpd."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import threading
import time
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import pytest
from pyasn1.codec.ber import encoder
from pysnmp.proto.mpmod.rfc3412 import SNMPv3Message

from pdsno_cli.discovery.probe import Findings, ProbeRequest
from pdsno_cli.discovery.snmp import v3
from pdsno_cli.discovery.snmp.ber_write import GET_NEXT, write_oid
from pdsno_cli.discovery.snmp.credentials import FIRST_WAIT, CredentialMemory
from pdsno_cli.discovery.snmp.details.exchange import Request
from pdsno_cli.discovery.snmp.probe import SnmpProbe
from pdsno_cli.discovery.snmp.v3_hello import hello, read_report
from pdsno_cli.discovery.sweep import sweep
from pdsno_cli.lab.agent import Agent
from pdsno_cli.lab.mib import Mibs
from pdsno_cli.lab.models import model
from pdsno_cli.lab.network import Network
from pdsno_cli.lab.plan import LabUser, make_device
from pdsno_cli.model.targets import AddressSet
from pdsno_cli.spec.topology import Credential, Snmp, SnmpKey
from tests.conftest import require
from tests.discovery.conftest import responder
from tests.discovery.snmp.details.switch import DETAIL, OBJECTS, SYSTEM
from tests.discovery.snmp.table_agent import TableAgent, parse, tlv
from tests.discovery.snmp.test_fuzz import mutated

NET = "127.101.50"
FIRST, SECOND, THIRD, SILENT = (f"{NET}.{n}" for n in (1, 2, 3, 4))
NEVER = threading.Event()
OLD, NEW = Credential(community="old"), Credential(name="core", community="new")


class Prober:
    """One probe that sweeps again and again."""

    def __init__(self, port, *addresses, credentials, timeout=0.2, **settings):
        self.probe, self.addresses = SnmpProbe(), AddressSet.of(addresses)
        self.snmp = Snmp(
            port=port, timeout=timeout, retries=0, details=None, credentials=credentials, **settings
        )

    def cycle(self):
        """Return the answers, and what was found beside them."""
        findings = Findings()
        request = ProbeRequest(
            targets=self.addresses, snmp=self.snmp, cancel=NEVER, findings=findings
        )
        return self.probe.sweep(request), findings


class Listener(TableAgent):
    """Notes the community of each request, whether or not it answers."""

    def __post_init__(self):
        super().__post_init__()
        self.heard = []

    def __call__(self, data):
        message = parse(parse(data)[0][1])
        self.heard.append(message[1][1] if message[0][1] == b"\x01" else "v3")
        return super().__call__(data) if message[0][1] == b"\x01" else None


@contextmanager
def agents(*items):
    """Run agents at their addresses, all on one port."""
    with ExitStack() as stack:
        port = 0
        for address, agent in items:
            port = stack.enter_context(responder(address, agent, port))
        yield port


def test_each_device_answers_its_own_community():
    items = ((FIRST, TableAgent(SYSTEM, b"old")), (SECOND, TableAgent(SYSTEM, b"new")))
    with agents(*items) as port:
        answers, _ = Prober(port, FIRST, SECOND, credentials=(OLD, NEW)).cycle()
    assert {address: answer["credential"] for address, answer in answers.items()} == {
        FIRST: "1",  # one without a name is called by its number
        SECOND: "core",
    }


def test_device_is_asked_first_what_it_answered_last():
    agent = Listener(SYSTEM, b"new")
    with agents((FIRST, agent)) as port:
        prober = Prober(port, FIRST, credentials=(OLD, NEW))
        prober.cycle()
        assert agent.heard[:2] == [b"old", b"new"]
        agent.heard.clear()
        prober.cycle()
    assert set(agent.heard) == {b"new"}


def test_others_are_tried_only_where_nothing_answered():
    first = Listener(SYSTEM, b"old")
    with agents((FIRST, first), (SECOND, TableAgent(SYSTEM, b"new"))) as port:
        Prober(port, FIRST, SECOND, credentials=(OLD, NEW)).cycle()
    assert set(first.heard) == {b"old"}


def test_changed_community_is_found_in_the_same_cycle():
    agent = TableAgent(SYSTEM, b"old")
    with agents((FIRST, agent)) as port:
        prober = Prober(port, FIRST, credentials=(OLD, NEW))
        assert prober.cycle()[0][FIRST]["credential"] == "1"
        agent.community = b"new"
        answers, findings = prober.cycle()
    assert answers[FIRST]["credential"] == "core"
    assert findings.refused == set()


def test_credential_that_stops_working_is_refused_until_it_works_again():
    agent = TableAgent(SYSTEM, b"old")
    with agents((FIRST, agent), (SECOND, TableAgent(SYSTEM, b"new"))) as port:
        prober = Prober(port, FIRST, SECOND, credentials=(OLD, NEW))
        assert prober.cycle()[1].refused == set()
        agent.community = b"other"
        for _ in range(2):
            answers, findings = prober.cycle()
            assert (set(answers), findings.refused) == ({SECOND}, {FIRST})
        agent.community = b"old"
        answers, findings = prober.cycle()
        assert (set(answers), findings.refused) == ({FIRST, SECOND}, set())


def test_single_community_that_stops_working_is_refused_too():
    agent = TableAgent(SYSTEM)
    with agents((FIRST, agent)) as port:
        prober = Prober(port, FIRST, credentials=())
        answers, _ = prober.cycle()
        assert "credential" not in answers[FIRST]  # there is but one
        agent.community = b"other"
        assert prober.cycle()[1].refused == {FIRST}


def test_refused_device_is_reported_only_while_another_protocol_finds_it():
    agent = TableAgent(SYSTEM)
    with agents((FIRST, agent)) as port:
        settings = Snmp(port=port, timeout=0.2, retries=0)
        assert sweep([FIRST], ["snmp"], settings).refused == ()
        agent.community = b"other"
        assert sweep([FIRST], ["snmp"], settings).refused == ()
        icmp = sweep([FIRST], ["icmp", "snmp"], settings)
        found = any(probe.answers for probe in icmp.probes)
        assert icmp.refused == ((FIRST,) if found else ())


def test_silent_addresses_cost_one_round_for_each_credential():
    heard = []
    with agents((SILENT, heard.append)) as port:
        credentials = tuple(Credential(community=f"c{n}") for n in range(4))
        started = time.monotonic()
        Prober(port, SILENT, credentials=credentials).cycle()
        seconds = time.monotonic() - started
    assert len(heard) == 4
    assert seconds >= 0.8


def test_details_are_read_with_the_community_of_the_device():
    items = ((FIRST, TableAgent(OBJECTS, b"old")), (SECOND, TableAgent(SYSTEM, b"new")))
    with agents(*items) as port:
        prober = Prober(port, FIRST, SECOND, credentials=(OLD, NEW))
        prober.snmp = replace(prober.snmp, details=Snmp().details)
        _, findings = prober.cycle()
    assert findings.details[FIRST] == DETAIL
    assert set(findings.details) == {FIRST, SECOND}


def test_no_secret_is_in_the_answers():
    with agents((FIRST, TableAgent(SYSTEM, b"new"))) as port:
        prober = Prober(port, FIRST, credentials=(OLD, NEW))
        answers, findings = prober.cycle()
    assert "new" not in repr((answers, findings, prober.probe))


AUTH, PRIVACY = "authentic-8", "private-88"


@contextmanager
def debian_agent(folder, address, port=0):
    """Run Debian's agent with users of every kind; yields its port."""
    program = require("snmpd")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    place = f"udp6:[{address}]" if ":" in address else f"udp:{address}"
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.bind((address, port))
        port = probe.getsockname()[1]
    config = folder / "snmpd.conf"
    config.write_text(
        f"agentaddress {place}:{port}\nsysname v3-one\nsysdescr An agent\n"
        f"createUser sha SHA {AUTH} AES {PRIVACY}\nrouser sha priv\n"
        f"createUser strong SHA-256 {AUTH} AES {PRIVACY}\nrouser strong priv\n"
        f"createUser widest SHA-512 {AUTH} AES-256 {PRIVACY}\nrouser widest priv\n"
        f"createUser old MD5 {AUTH} DES {PRIVACY}\nrouser old priv\n"
        f"createUser signed SHA {AUTH}\nrouser signed auth\n"
        "createUser open\nrouser open noauth\n"
        "rocommunity6 public\n"
    )
    process = subprocess.Popen(
        [program, "-f", "-C", "-c", str(config), "-Lf", str(folder / "log"), "-I", "-smux"],
        env=os.environ | {"SNMP_PERSISTENT_DIR": str(folder / "persistent")},
    )
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.settimeout(0.1)
            deadline = time.monotonic() + 20
            while time.monotonic() < deadline:
                try:
                    sock.sendto(hello().with_id(0x4000_0001), (address, port))
                    if read_report(sock.recvfrom(65535)[0]):
                        break
                except OSError:
                    continue
        yield port
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture
def snmpd(tmp_path):
    """Debian's agent on a loopback port of the test's own."""
    with debian_agent(tmp_path, FIRST) as port:
        yield port


def user(name, auth=None, privacy=None, *, password=AUTH):
    return Credential(
        user=name,
        auth=None if auth is None else SnmpKey(protocol=auth, password=password),
        privacy=None if privacy is None else SnmpKey(protocol=privacy, password=PRIVACY),
    )


@pytest.mark.parametrize(
    "credential",
    [
        user("sha", "sha", "aes"),
        user("strong", "sha256", "aes"),
        user("widest", "sha512", "aes256"),
        user("signed", "sha"),
        user("open"),
    ],
    ids=lambda item: item.user,
)
def test_user_of_snmpv3_is_answered(snmpd, credential):
    prober = Prober(snmpd, FIRST, credentials=(credential,), timeout=2.0)
    answers, _ = prober.cycle()
    assert answers[FIRST]["sys_name"] == "v3-one"
    assert answers[FIRST]["credential"] == "1"
    assert answers[FIRST]["engine_id"].startswith("80001f88")  # the questions are asked, too


@pytest.mark.parametrize(
    "credential",
    [user("strong", "sha256", "aes"), Credential(community="public")],
    ids=("v3", "v2c"),
)
def test_agent_is_asked_over_ipv6(tmp_path, credential):
    with debian_agent(tmp_path, "::1") as port:
        prober = Prober(port, "::1", "127.101.60.9", credentials=(credential,), timeout=2.0)
        answers, findings = prober.cycle()
    assert list(answers) == ["::1"]
    assert answers["::1"]["sys_name"] == "v3-one"
    assert answers["::1"]["engine_id"].startswith("80001f88")
    assert findings.closed == {"127.101.60.9"}


def test_closed_port_is_reported_over_ipv6():
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
        probe.bind(("::1", 0))
        port = probe.getsockname()[1]
    _, findings = Prober(port, "::1", credentials=(Credential(community="public"),)).cycle()
    assert findings.closed == {"::1"}


def test_user_with_md5_and_des_is_answered_where_the_agent_has_them(snmpd):
    answers, _ = Prober(snmpd, FIRST, credentials=(user("old", "md5", "des"),), timeout=2.0).cycle()
    done = subprocess.run(
        [require("snmpget"), "-v3", "-l", "authPriv", "-u", "old", "-a", "MD5", "-A", AUTH, "-x", "DES",
         "-X", PRIVACY, f"udp:{FIRST}:{snmpd}", "1.3.6.1.2.1.1.5.0"],
        capture_output=True, check=False,
    )  # fmt: skip
    assert bool(answers) is (done.returncode == 0)


def test_details_of_an_agent_of_snmpv3(snmpd):
    prober = Prober(snmpd, FIRST, credentials=(user("strong", "sha256", "aes"),), timeout=2.0)
    prober.snmp = replace(prober.snmp, details=Snmp().details)
    _, findings = prober.cycle()
    detail = findings.details[FIRST]
    assert "lo" in [interface.name for interface in detail.interfaces]
    assert any("127.0.0.1/8" in interface.addresses for interface in detail.interfaces)


def test_bridge_of_a_vlan_is_a_context_of_snmpv3():
    """As Cisco names them; the agent answers as if it had one bridge."""
    device = make_device(
        0,
        FIRST,
        port=0,
        community="",
        user=LabUser(name="open"),
        model=model("access-switch-iosxe"),
    )
    agent, seen = Agent(device, Mibs(Network([device]))), []

    def answer(data):
        seen.append(data)
        return agent.answer(data)

    def task():
        base_port = write_oid((1, 3, 6, 1, 2, 1, 17, 1, 4, 1, 2))
        return (yield Request(GET_NEXT, (base_port,), vlan=20))

    with responder(FIRST, answer) as port:
        outcome = v3.run([(FIRST, task())], user("open"), NEVER, port=port, timeout=2.0, retries=0,
                         until=time.monotonic() + 10)  # fmt: skip
    assert outcome.results[FIRST].bindings
    assert b"vlan-20" in seen[-1]


def test_users_and_communities_are_tried_in_order(snmpd):
    credentials = (OLD, user("nobody", "sha", "aes"), user("strong", "sha256", "aes"), NEW)
    with responder(SECOND, Listener(SYSTEM, b"new"), snmpd):
        prober = Prober(snmpd, FIRST, SECOND, SILENT, credentials=credentials, timeout=1.0)
        for _ in range(2):
            answers, findings = prober.cycle()
            assert {address: answer["credential"] for address, answer in answers.items()} == {
                FIRST: "3",
                SECOND: "core",
            }
            assert findings.refused == set()


def test_user_that_was_answered_has_its_retries(snmpd, monkeypatch):
    prober = Prober(
        snmpd, FIRST, SILENT, credentials=(user("strong", "sha256", "aes"),), timeout=1.0
    )
    prober.snmp = replace(prober.snmp, retries=2)
    run, retries = v3.run, []

    def noting(tasks, *args, **kwargs):
        retries.append(kwargs["retries"])
        return run(tasks, *args, **kwargs)

    monkeypatch.setattr(v3, "run", noting)
    assert set(prober.cycle()[0]) == {FIRST}
    assert retries[0] == 0  # an unknown user: once
    retries.clear()
    assert set(prober.cycle()[0]) == {FIRST}
    assert retries == [2]


def wrong_digests(port):
    """Return usmStatsWrongDigests of the agent: how often a password was wrong by its own count."""
    done = subprocess.run(
        [require("snmpget"), "-v3", "-l", "authPriv", "-u", "sha", "-a", "SHA", "-A", AUTH, "-x", "AES",
         "-X", PRIVACY, "-Oqv", f"udp:{FIRST}:{port}", "1.3.6.1.6.3.15.1.1.5.0"],
        capture_output=True, check=True, text=True,
    )  # fmt: skip
    return int(done.stdout)


def test_refused_user_waits_and_does_not_lock(snmpd, monkeypatch):
    wrong = user("strong", "sha256", "aes", password="wrong-password")
    prober = Prober(snmpd, FIRST, credentials=(wrong,), timeout=1.0)
    tries = []
    run = v3.run

    def counting(tasks, *args, **kwargs):
        tasks = list(tasks)
        tries.append([address for address, _ in tasks])
        return run(tasks, *args, **kwargs)

    monkeypatch.setattr(v3, "run", counting)
    for _ in range(3):
        assert prober.cycle()[0] == {}
    assert tries == [[FIRST]]
    assert wrong_digests(snmpd) == 1
    now = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: now() + FIRST_WAIT)
    assert prober.cycle()[0] == {}
    assert tries == [[FIRST], [FIRST]]


def test_user_is_not_tried_on_hosts_that_do_not_speak_snmpv3():
    agent = Listener(SYSTEM)
    with agents((FIRST, agent)) as port:
        answers, _ = Prober(port, FIRST, credentials=(user("a", "sha", "aes"),)).cycle()
    assert answers == {}
    assert agent.heard == ["v3"]  # the one request without a user


def test_hello_is_what_pysnmp_reads_and_any_other_answer_is_no_report():
    from pyasn1.codec.ber import decoder

    message, rest = decoder.decode(hello().with_id(0x4142_4344), asn1Spec=SNMPv3Message())
    assert not rest
    assert encoder.encode(message) == hello().with_id(0x4142_4344)
    for data in (b"", b"\x30\x00", hello().with_id(5)[:20], b"\x30\x80" * 50, os.urandom(200)):
        read_report(data)
    assert read_report(b"\x30\x03\x02\x01\x03") is None


def test_wait_after_a_refusal_doubles_to_hours(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    memory, item = CredentialMemory(), user("a", "sha")
    waits = []
    for _ in range(9):
        memory.refused([FIRST], 161, item)
        start = now[0]
        while not memory.may_try(FIRST, 161, item):
            now[0] += 10.0
        waits.append(now[0] - start)
    assert waits[:3] == [300, 600, 1200]
    assert waits[-1] == waits[-2] == 21_600
    memory.learn(161, {FIRST: item})
    memory.refused([FIRST], 161, item)
    now[0] += 300
    assert memory.may_try(FIRST, 161, item)


def report_to(data, engine=b"\x80\x00\x1f\x88\x80abcdefgh"):
    """Return the report with which an engine answers a request of SNMPv3."""
    header = parse(parse(parse(data)[0][1])[1][1])
    counter = tlv(6, bytes((43, 6, 1, 6, 3, 15, 1, 1, 4, 0))) + tlv(0x41, b"\x01")
    pdu = tlv(0xA8, tlv(2, b"\x01") + tlv(2, b"\0") + tlv(2, b"\0") + tlv(0x30, tlv(0x30, counter)))
    usm = tlv(0x30, tlv(4, engine) + tlv(2, b"\x01") + tlv(2, b"\x05") + tlv(4, b"") * 3)
    return tlv(
        0x30,
        tlv(2, b"\x03")
        + tlv(0x30, tlv(2, header[0][1]) + tlv(2, b"\x05\xdc") + tlv(4, b"\0") + tlv(2, b"\x03"))
        + tlv(4, usm)
        + tlv(0x30, tlv(4, engine) + tlv(4, b"") + pdu),
    )


@pytest.mark.parametrize("seed", range(5))
def test_engine_that_answers_anything_costs_nobody_else(seed, capfd, caplog):
    """A host that speaks SNMPv3, and then sends mutations, cuts and noise."""
    rng = random.Random(seed)

    def answer(data):
        report = report_to(data)
        how = rng.randrange(6)
        if answer.first:
            answer.first = False
            return report
        if how == 0:
            return rng.randbytes(rng.randrange(1, 200))
        if how == 1:
            return report[: rng.randrange(len(report))]
        return mutated(report, rng) if how < 5 else report

    answer.first = True
    credentials = (user("strong", "sha256", "aes"), user("b", "md5", "des"), NEW)
    with responder(SECOND, answer) as port, responder(FIRST, TableAgent(SYSTEM, b"new"), port):
        answers, _ = Prober(port, FIRST, SECOND, credentials=credentials, timeout=0.3).cycle()
    assert answers[FIRST]["credential"] == "core"
    assert SECOND not in answers
    out, err = capfd.readouterr()
    assert (out, err, caplog.text) == ("", "", "")


@pytest.mark.parametrize("credential", ['user="a"', 'community="b"'])
def test_probe_without_a_network_says_so_for_every_kind_of_credential(in_namespace, credential):
    code = f"""
import json
from pdsno_cli.discovery.sweep import sweep
from pdsno_cli.spec.topology import Credential, Snmp
snmp = Snmp(timeout=0.1, retries=0, credentials=(Credential({credential}),))
print(json.dumps([probe.error for probe in sweep(["198.51.100.7"], ["snmp"], snmp).probes]))
"""
    assert in_namespace(code) == ["no request could be sent: Network is unreachable"]
