"""SNMP notifications: those of net-snmp's tools, those of pysnmp's codec, and any bytes."""

from __future__ import annotations

import random
import socket
import subprocess
import threading
import time
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyasn1.codec.ber import encoder
from pysnmp.proto.api import v1, v2c

from pdsno_cli.discovery.probe import Findings, ProbeRequest
from pdsno_cli.discovery.snmp import probe
from pdsno_cli.discovery.snmp.traps import MAX_DATAGRAMS, TrapSocket, read_again, read_trap
from pdsno_cli.model.targets import AddressSet
from pdsno_cli.spec.topology import Credential, Snmp, SnmpKey
from tests.conftest import require
from tests.discovery.conftest import responder
from tests.discovery.snmp.details.switch import OBJECTS
from tests.discovery.snmp.table_agent import TableAgent
from tests.discovery.snmp.test_fuzz import mutated

KINDS = ("coldStart", "warmStart", "linkDown", "linkUp", "authenticationFailure")
KNOWN = {b"public"}
AUTH_PASSWORD, PRIVACY = "auth-password", "privacy-password"
CREDENTIALS = (
    Credential(community="public"),
    Credential(community="core"),
    Credential(user="open"),
    Credential(user="signed", auth=SnmpKey(protocol="sha256", password=AUTH_PASSWORD)),
    Credential(
        user="sealed",
        auth=SnmpKey(protocol="sha", password=AUTH_PASSWORD),
        privacy=SnmpKey(protocol="aes", password=PRIVACY),
    ),
    Credential(
        user="old",
        auth=SnmpKey(protocol="md5", password=AUTH_PASSWORD),
        privacy=SnmpKey(protocol="des", password=PRIVACY),
    ),
)


def notification(kind, community=b"public", pdu=None):
    """Return a trap of v2c, or another PDU with its bindings."""
    pdu = pdu or v2c.TrapPDU()
    v2c.apiTrapPDU.set_defaults(pdu)
    oid = (1, 3, 6, 1, 6, 3, 1, 1, 5, KINDS.index(kind) + 1)
    v2c.apiTrapPDU.set_varbinds(
        pdu,
        [
            ((1, 3, 6, 1, 2, 1, 1, 3, 0), v2c.TimeTicks(5)),
            ((1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0), v2c.ObjectIdentifier(oid)),
            ((1, 3, 6, 1, 2, 1, 2, 2, 1, 1, 3), v2c.Integer32(3)),
        ],
    )
    message = v2c.Message()
    v2c.apiMessage.set_defaults(message)
    v2c.apiMessage.set_community(message, community)
    v2c.apiMessage.set_pdu(message, pdu)
    return encoder.encode(message)


def old_trap(number):
    pdu = v1.TrapPDU()
    v1.apiTrapPDU.set_defaults(pdu)
    v1.apiTrapPDU.set_generic_trap(pdu, number)
    message = v1.Message()
    v1.apiMessage.set_defaults(message)
    v1.apiMessage.set_community(message, "public")
    v1.apiMessage.set_pdu(message, pdu)
    return encoder.encode(message)


@pytest.mark.parametrize("number", range(7))
def test_notifications_of_both_versions(number):
    expected = KINDS[number] if number < 4 else None
    found = [read_trap(old_trap(number), "127.0.0.1", KNOWN)]
    if number < len(KINDS):
        found.append(read_trap(notification(KINDS[number]), "127.0.0.1", KNOWN))
    assert [trap and trap.kind for trap in found] == [expected] * len(found)


def test_notification_with_another_community_is_none():
    assert read_trap(notification("linkUp", b"other"), "127.0.0.1", KNOWN) is None


@given(st.binary(max_size=300))
def test_any_bytes_are_no_notification(data):
    assert read_trap(data, "127.0.0.1", KNOWN) is None


def test_mutated_notifications_are_one_or_none():
    rng = random.Random(7)
    for _ in range(2000):
        found = read_trap(mutated(notification("linkUp"), rng), "127.0.0.1", KNOWN)
        assert found is None or found.kind in KINDS[:4]


def until(receive):
    deadline = time.monotonic() + 10
    found = []
    while not found and time.monotonic() < deadline:
        found = receive()
        time.sleep(0.01)
    return found


@pytest.fixture
def listener():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("", 0))
        port = sock.getsockname()[1]
    with closing(TrapSocket(port, CREDENTIALS)) as found:
        yield found, port


@pytest.mark.parametrize("version", ["1", "2c"])
def test_traps_of_net_snmp(listener, version):
    sock, port = listener
    old = ["1.3.6.1.4.1.8072", "127.0.0.1", "3", "0", ""]
    new = ["", "1.3.6.1.6.3.1.1.5.4", "1.3.6.1.2.1.2.2.1.1.3", "i", "3"]
    words = old if version == "1" else new
    subprocess.run(
        [require("snmptrap"), "-v", version, "-c", "core", f"udp:127.0.0.1:{port}", *words],
        check=True,
    )
    assert [(trap.source, trap.kind) for trap in until(sock.receive)] == [("127.0.0.1", "linkUp")]


V3 = [
    ("open", []),
    ("signed", ["-l", "authNoPriv", "-a", "SHA-256", "-A", AUTH_PASSWORD]),
    ("sealed", ["-l", "authPriv", "-a", "SHA", "-A", AUTH_PASSWORD, "-x", "AES", "-X", PRIVACY]),
    ("old", ["-l", "authPriv", "-a", "MD5", "-A", AUTH_PASSWORD, "-x", "DES", "-X", PRIVACY]),
]


def send_v3(port, user, options, tmp_path, kind=3):
    return subprocess.run(
        [require("snmptrap"), "-v3", "-e", "0x8000000001020304", "-u", user, *options,
         f"udp:127.0.0.1:{port}", "", f"1.3.6.1.6.3.1.1.5.{kind}"],
        check=False, capture_output=True, text=True,
        env={"SNMP_PERSISTENT_DIR": str(tmp_path), "MIBS": "", "PATH": "/usr/bin:/bin"},
    )  # fmt: skip


@pytest.mark.parametrize(("user", "options"), V3)
def test_traps_of_snmpv3_by_net_snmp(listener, tmp_path, user, options):
    sock, port = listener
    done = send_v3(port, user, options, tmp_path)
    if done.returncode and user == "old":
        pytest.skip("this net-snmp has no MD5 or DES")
    assert done.returncode == 0, done.stderr
    assert [(trap.kind, trap.answer) for trap in until(sock.receive)] == [("linkDown", None)]


@pytest.mark.parametrize(
    ("user", "options"),
    [
        ("nobody", []),
        ("signed", []),  # less than what is declared
        ("open", ["-l", "authNoPriv", "-a", "SHA", "-A", AUTH_PASSWORD]),  # and more
        ("signed", ["-l", "authNoPriv", "-a", "SHA-256", "-A", "another password"]),
        (
            "sealed",
            ["-l", "authPriv", "-a", "SHA", "-A", AUTH_PASSWORD, "-x", "AES", "-X", "another one"],
        ),
    ],
)
def test_trap_of_snmpv3_without_the_declared_security_is_none(listener, tmp_path, user, options):
    sock, port = listener
    assert send_v3(port, user, options, tmp_path).returncode == 0
    assert send_v3(port, "open", [], tmp_path, kind=1).returncode == 0
    assert [trap.kind for trap in until(sock.receive)] == ["coldStart"]  # it came after the other


def test_mutated_traps_of_snmpv3_are_one_or_none(tmp_path):
    users = {item.user.encode(): item for item in CREDENTIALS if item.user}
    rng = random.Random(11)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(10)
        for user, options in V3[:3]:
            send_v3(sock.getsockname()[1], user, options, tmp_path)
            data = sock.recv(65_535)
            assert read_trap(data, "127.0.0.1", (), users).kind == "linkDown"
            for _ in range(500):
                found = read_trap(mutated(data, rng), "127.0.0.1", (), users)
                assert found is None or user == "open" or found.kind == "linkDown"


def test_traps_by_ipv6(listener):
    sock, port = listener
    words = ["", "1.3.6.1.6.3.1.1.5.4"]
    subprocess.run(
        [require("snmptrap"), "-v2c", "-c", "core", f"udp6:[::1]:{port}", *words], check=True
    )
    assert [(trap.source, trap.kind) for trap in until(sock.receive)] == [("::1", "linkUp")]


def test_informs_of_net_snmp_are_answered(listener):
    sock, port = listener
    found = []
    stop = threading.Event()

    def serve():
        while not stop.is_set():
            found.extend(sock.receive())
            stop.wait(0.02)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        done = subprocess.run(
            [require("snmpinform"), "-v2c", "-c", "public", "-r", "1", "-t", "3",
             f"udp:127.0.0.1:{port}", "", "1.3.6.1.6.3.1.1.5.1"],
            check=False, capture_output=True, text=True,
        )  # fmt: skip
    finally:
        stop.set()
        thread.join()
    assert done.returncode == 0, done.stderr  # it got its answer
    assert {trap.kind for trap in found} == {"coldStart"}


def test_flood_is_read_in_parts(listener):
    sock, port = listener
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for _ in range(MAX_DATAGRAMS * 2):
            sender.sendto(notification_bytes, ("127.0.0.1", port))
    assert len(sock.receive()) <= MAX_DATAGRAMS


notification_bytes = notification("linkUp")


def test_notification_makes_the_next_sweep_read_details_again():
    address = "127.101.44.1"
    with responder(address, TableAgent(OBJECTS)) as port:

        def cycle():
            findings = Findings()
            request = ProbeRequest(
                targets=AddressSet.of([address]),
                snmp=Snmp(port=port, timeout=0.3),
                cancel=threading.Event(),
                findings=findings,
            )
            probe.PROBE.sweep(request)
            return set(findings.details)

        assert [cycle(), cycle()] == [{address}, set()]
        read_again([address, "127.101.44.2"], port)
        assert [cycle(), cycle()] == [{address}, set()]
