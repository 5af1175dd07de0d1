"""SNMP against Debian's snmpd, lab agents, and agents that are broken in every way."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest
from pyasn1.codec.ber import decoder, encoder
from pysnmp.proto import rfc1905
from pysnmp.proto.api import v2c

from pdsno_cli.discovery.snmp import probe, system
from pdsno_cli.discovery.snmp.system import SystemInfo
from pdsno_cli.discovery.sweep import sweep
from pdsno_cli.spec.topology import Snmp
from tests.conftest import require
from tests.discovery.snmp.test_ber import tlv

BROKEN = "127.101.20.1"
NEVER = threading.Event()


def ask(address, port, **settings):
    found = probe.sweep([address], Snmp(port=port, timeout=0.3, **settings), NEVER)
    return found.get(address)


def request(data):
    message, _ = decoder.decode(data, asn1Spec=v2c.Message())
    return message, v2c.apiMessage.get_pdu(message)


def respond(data, pairs, *, status=0, index=0, shift=0):
    """Return the response to a request, with these (OID, value) pairs."""
    message, pdu = request(data)
    reply = v2c.apiMessage.get_response(message)
    response = v2c.apiMessage.get_pdu(reply)
    v2c.apiPDU.set_request_id(response, int(v2c.apiPDU.get_request_id(pdu)) + shift)
    v2c.apiPDU.set_error_status(response, status)
    response.setComponentByPosition(2, index, verifyConstraints=False)
    v2c.apiPDU.set_varbinds(response, pairs)
    return encoder.encode(reply)


def is_walk(data):
    return isinstance(request(data)[1], v2c.GetBulkRequestPDU)


@pytest.fixture
def snmpd(tmp_path):
    """Debian's agent on a loopback port of the test's own."""
    program = require("snmpd")
    address = "127.101.21.1"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((address, 0))
        port = probe.getsockname()[1]
    config = tmp_path / "snmpd.conf"
    config.write_text(
        f"agentaddress udp:{address}:{port}\nrocommunity secret\n"
        "sysname real-one\nsysdescr A real agent\nsysobjectid 1.3.6.1.4.1.8072.3.2.10\n"
    )
    process = subprocess.Popen(
        [program, "-f", "-C", "-c", str(config), "-Lf", str(tmp_path / "log"), "-I", "-smux"],
        env=os.environ | {"SNMP_PERSISTENT_DIR": str(tmp_path / "state")},
    )
    try:
        for _ in range(100):
            if ask(address, port, community="secret"):
                break
            time.sleep(0.05)
        yield address, port
    finally:
        process.terminate()
        process.wait(10)


def test_sweep_reads_a_real_agent(snmpd):
    address, port = snmpd
    info = ask(address, port, community="secret")
    assert (info.sys_name, info.sys_descr) == ("real-one", "A real agent")
    assert info.sys_object_id == "1.3.6.1.4.1.8072.3.2.10"
    assert 0 <= info.uptime < 60


def test_sweep_with_a_wrong_community_gets_no_answer(snmpd):
    assert ask(*snmpd, community="wrong") is None


def test_sweep_learns_at_once_of_a_closed_port():
    started = time.monotonic()
    settings = Snmp(port=9, timeout=30.0, retries=3)
    assert probe.sweep([f"127.101.22.{n}" for n in range(1, 200)], settings, NEVER) == {}
    assert time.monotonic() - started < 25  # and not after a timeout


def test_sweep_stops_promptly_when_cancelled():
    cancel = threading.Event()
    threading.Timer(0.2, cancel.set).start()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind((BROKEN, 0))
        settings = Snmp(port=silent.getsockname()[1], timeout=30.0)
        started = time.monotonic()
        assert probe.sweep([BROKEN], settings, cancel) == {}
    assert time.monotonic() - started < 15  # and not after the timeout


def test_sweep_of_an_agent_without_objects_still_counts_it(agent):
    def answer(data):
        return respond(data, [(oid, rfc1905.noSuchObject) for oid in system.SYSTEM])

    with agent(BROKEN, answer) as port:
        assert ask(BROKEN, port) == SystemInfo()


def test_sweep_asks_again_without_the_object_that_an_agent_refuses(agent):
    def answer(data):
        names = [tuple(oid) for oid, _ in v2c.apiPDU.get_varbinds(request(data)[1])]
        if system.SYS_OBJECT_ID in names:
            return respond(data, [], status=5, index=names.index(system.SYS_OBJECT_ID) + 1)
        return respond(data, [(system.SYS_NAME, v2c.OctetString(b"half"))])

    with agent(BROKEN, answer) as port:
        assert ask(BROKEN, port) == SystemInfo(sys_name="half")


def test_sweep_cleans_and_trims_text(agent):
    def answer(data):
        return respond(
            data,
            [
                (system.SYS_NAME, v2c.OctetString(b"B\xfcro\r\n\x1b[1m\0" + b"x" * 5000)),
                (system.SYS_DESCR, v2c.OctetString(b"y" * 5000)),
                (system.SYS_OBJECT_ID, v2c.OctetString(b"no oid")),
                (system.SYS_UP_TIME, v2c.Integer32(-1)),
            ],
        )

    with agent(BROKEN, answer) as port:
        info = ask(BROKEN, port)
    assert info.sys_name.startswith("Büro [1m xxx")
    assert (len(info.sys_name), len(info.sys_descr)) == (255, 1024)
    assert (info.sys_object_id, info.uptime) == (None, None)


def rows(data, values):
    """Answer a walk of ifPhysAddress with these values as a whole table would."""
    start = tuple(v2c.apiBulkPDU.get_varbinds(request(data)[1])[0][0])
    at = start[len(system.IF_PHYS_ADDRESS)] if len(start) > len(system.IF_PHYS_ADDRESS) else 0
    count = int(request(data)[1][2])
    pairs = [
        ((*system.IF_PHYS_ADDRESS, n + 1), v2c.OctetString(values(n + 1)))
        for n in range(at, at + count)
    ]
    return respond(data, pairs)


def walked(agent, answer):
    def both(data):
        return answer(data) if is_walk(data) else respond(data, [])

    with agent(BROKEN, both) as port:
        return ask(BROKEN, port).mac


def test_walk_takes_the_lowest_interface_that_has_an_address(agent):
    junk = {1: b"", 2: b"\0" * 6, 3: b"\xff" * 6, 4: b"\x01\0\x5e\0\0\1", 5: b"\2" * 8}
    mac = walked(agent, lambda data: rows(data, lambda n: junk.get(n, b"\2\0\0\0\0" + bytes([n]))))
    assert mac == "02:00:00:00:00:06"


def test_walk_goes_on_over_many_answers(agent):
    mac = walked(agent, lambda data: rows(data, lambda n: b"" if n < 90 else b"\2\0\0\0\0\7"))
    assert mac == "02:00:00:00:00:07"


def test_walk_of_an_endless_table_ends(agent):
    assert walked(agent, lambda data: rows(data, lambda _: b"")) is None


@pytest.mark.parametrize(
    "pairs",
    [
        [],
        [((*system.IF_PHYS_ADDRESS, 0), v2c.OctetString(b""))] * 3,
        [(system.IF_PHYS_ADDRESS, rfc1905.endOfMibView)],
        [((*system.IF_PHYS_ADDRESS, 1), v2c.Integer32(7))],
        [((1, 3, 6, 1, 2, 1, 2, 2, 1, 7, 1), v2c.OctetString(b"\2\0\0\0\0\1"))],
        [((1, 3), v2c.OctetString(b"\2\0\0\0\0\1"))],
    ],
)
def test_walk_ends_where_the_column_does(agent, pairs):
    assert walked(agent, lambda data: respond(data, pairs)) is None


def test_sweep_ignores_unrelated_responses(agent):
    noise = random.Random(7)

    def answer(data):
        kind = noise.randrange(6)
        good = respond(data, [], index=9)
        return {
            0: b"",
            1: noise.randbytes(200),
            2: good[: noise.randrange(len(good))],
            3: respond(data, [], shift=1),
            4: data,  # the request itself, as an echo service would
            5: bytes(b ^ (noise.random() < 0.05) for b in good),
        }[kind]

    with agent(BROKEN, answer) as port:
        for _ in range(5):
            probe.sweep([BROKEN], Snmp(port=port, timeout=0.02, retries=5), NEVER)


def test_sweep_takes_an_error_index_out_of_range_for_an_answer(agent):
    with agent(BROKEN, lambda data: respond(data, [], status=1, index=99)) as port:
        assert ask(BROKEN, port) == SystemInfo()


def broken(data, name: bytes, uptime: bytes, object_id: bytes):
    """Answer the system group with these octets as values, whatever they are."""
    request_id = int(v2c.apiPDU.get_request_id(request(data)[1])).to_bytes(4, "big")
    values = [
        (system.SYS_NAME, tlv(4, name)),
        (system.SYS_UP_TIME, uptime),
        (system.SYS_OBJECT_ID, object_id),
        (system.SYS_DESCR, tlv(4, b"a switch")),
    ]
    rows = [tlv(0x30, encoder.encode(v2c.ObjectIdentifier(oid)), v) for oid, v in values]
    pdu = tlv(0xA2, tlv(2, request_id), tlv(2, b"\0"), tlv(2, b"\0"), tlv(0x30, *rows))
    return tlv(0x30, tlv(2, b"\x01"), tlv(4, b"public"), pdu)


@pytest.mark.parametrize(
    ("uptime", "object_id", "expected"),
    [
        (b"\x43\x04\xff\xff\xff\xff", b"\x06\x01\x2b", (42949672.95, "1.3")),
        (b"\x43\x01\x64", b"\x06\x00", (1.0, None)),
        (b"\x43\x00", b"\x06\x02\x2b\x06", (None, "1.3.6")),
        (b"\x43\x01\x64", tlv(6, b"\x2b" + b"\x8f\xff\xff\xff\x7f" * 300), (1.0, "1.3" + ".4294967295" * 126)),
    ],
)  # fmt: skip
def test_sweep_loses_a_bad_value_of_an_agent_alone(agent, uptime, object_id, expected):
    with agent(BROKEN, lambda data: broken(data, b"sw-1", uptime, object_id)) as port:
        info = ask(BROKEN, port)
    assert (info.sys_name, info.sys_descr) == ("sw-1", "a switch")
    assert (info.uptime, info.sys_object_id) == expected


FLOOD = """
import socket, sys, time
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind((sys.argv[1], 0))
print(sock.getsockname()[1], flush=True)
data, peer = sock.recvfrom(65535)
end = time.monotonic() + 60
while time.monotonic() < end:
    for _ in range(60):
        sock.sendto(data.replace(b"\\xa0", b"\\xa2", 1) if sys.argv[2] == "answers" else data, peer)
    time.sleep(0.01)
"""


@pytest.mark.timeout(60)
@pytest.mark.parametrize("kind", ["answers", "junk"])
def test_sweep_ends_although_an_agent_never_stops_sending(agent, kind):
    """One at some 6,000 datagrams a second, which is more than a codec reads in that time."""
    flooder, good = "127.101.23.1", "127.101.23.2"
    process = subprocess.Popen(
        [sys.executable, "-c", FLOOD, flooder, kind], stdout=subprocess.PIPE, text=True
    )
    try:
        port = int(process.stdout.readline())

        def answer(data):
            return respond(data, [(system.SYS_NAME, v2c.OctetString(b"good"))])

        with agent(good, answer, port) as _:
            found = probe.sweep([flooder, good], Snmp(port=port, timeout=0.5, retries=1), NEVER)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
    assert found[good].sys_name == "good"
    assert (flooder in found) == (kind == "answers")


def test_replies_from_another_address_are_counted_for_the_one_that_was_asked():
    other, asked = "127.101.23.9", "127.101.23.1"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as impostor:
        impostor.bind((other, 0))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
            server.bind((asked, 0))
            port = server.getsockname()[1]

            def serve():
                for _ in range(3):
                    data, client = server.recvfrom(2048)
                    impostor.sendto(
                        respond(data, [(system.SYS_NAME, v2c.OctetString(b"x"))]), client
                    )
                    impostor.sendto(b"junk", client)

            thread = threading.Thread(target=serve)
            thread.start()
            result = sweep([asked], ["snmp"], Snmp(port=port, timeout=0.2, retries=2))
            thread.join()
    assert result.observations == ()
    assert result.stray == {asked: {other: 3}}
