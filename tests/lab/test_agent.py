"""Lab agents as net-snmp's tools see them."""

from __future__ import annotations

import random
import socket
import subprocess

import pytest
from pyasn1.codec.ber import decoder
from pysnmp.proto.api import v2c

from pdsno_cli.lab.agent import MAX_BYTES, Agent
from pdsno_cli.lab.mib import Mibs
from pdsno_cli.lab.models import model
from pdsno_cli.lab.network import Network
from pdsno_cli.lab.plan import make_device
from tests.conftest import require
from tests.lab.oracle import request

DEVICE = make_device(
    0, "127.102.2.1", port=161, community="lab", model=model("access-switch-iosxe")
)
IF_PHYS_ADDRESS = ".1.3.6.1.2.1.2.2.1.6"


@pytest.fixture
def tool(lab, targets, port, tmp_path):
    """Return a function that runs one of net-snmp's tools against the device at .1."""

    def run(name, *arguments, community="lab", version="-v2c"):
        options = ["-On", "-t", "0.5", "-r", "0", version, "-c", community]
        return subprocess.run(
            [require(name), *options, f"{targets[0]}:{port}", *arguments],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
            env={"SNMP_PERSISTENT_DIR": str(tmp_path), "MIBS": "", "PATH": "/usr/bin:/bin"},
        )

    return run


def test_snmpget_reads_the_system_group(tool):
    lines = tool(
        "snmpget", ".1.3.6.1.2.1.1.2.0", ".1.3.6.1.2.1.1.5.0", ".1.9.9"
    ).stdout.splitlines()
    assert lines[0] == ".1.3.6.1.2.1.1.2.0 = OID: .1.3.6.1.4.1.2636.1.1.1.2.166"
    assert lines[1] == '.1.3.6.1.2.1.1.5.0 = STRING: "rt-edge-01"'
    assert "No Such Object" in lines[2]


def test_snmpwalk_and_snmpbulkwalk_read_the_same_tree(tool):
    one, many = (tool(name, ".1.3.6.1.2.1.2") for name in ("snmpwalk", "snmpbulkwalk"))
    # Counters and sysUpTime run on from one walk to the next.
    running = (".1.3.6.1.2.1.2.2.1.10.", ".1.3.6.1.2.1.2.2.1.16.")

    def still(done):
        return [line for line in done.stdout.splitlines() if not line.startswith(running)]

    assert still(one) == still(many)
    assert len(one.stdout.splitlines()) == len(many.stdout.splitlines())
    names = [line.split(" = ")[0] for line in many.stdout.splitlines()]
    assert names == sorted(names, key=lambda name: [int(part) for part in name[1:].split(".")])


def test_snmpbulkwalk_reads_everything_to_the_end_of_the_view(tool):
    lines = tool("snmpbulkwalk", ".1").stdout.splitlines()
    assert "No more variables" in lines[-1]
    assert len(lines) > 600
    assert lines[0].startswith(".1.0.8802.1.1.2.1.3.1.0 = INTEGER: 4")


def test_snmpwalk_reads_physical_addresses(tool):
    lines = tool("snmpbulkwalk", IF_PHYS_ADDRESS).stdout.splitlines()
    assert lines[0] == f"{IF_PHYS_ADDRESS}.1 = Hex-STRING: 02 4C 7F 66 01 01 "


def test_snmpbulkget_with_non_repeaters(tool):
    done = tool("snmpbulkget", "-Cn1", "-Cr2", ".1.3.6.1.2.1.1.4", ".1.3.6.1.2.1.2.2.1.2")
    names = [line.split(" = ")[0] for line in done.stdout.splitlines()]
    assert names == [".1.3.6.1.2.1.1.4.0", *(f".1.3.6.1.2.1.2.2.1.2.{n}" for n in (1, 2))]


def test_snmpset_is_refused(tool):
    done = tool("snmpset", ".1.3.6.1.2.1.1.5.0", "s", "x")
    assert "notWritable" in done.stderr


@pytest.mark.parametrize("how", [{"community": "wrong"}, {"version": "-v1"}])
def test_snmpget_without_the_right_version_and_community_times_out(tool, how):
    assert "Timeout" in tool("snmpget", ".1.3.6.1.2.1.1.5.0", **how).stderr


def test_answer_survives_any_bytes(lab, targets, port, tool):
    noise = random.Random(3)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for size in (0, 1, 2, 50, 1400, 60_000):
            sock.sendto(noise.randbytes(size), (targets[0], port))
    assert tool("snmpget", ".1.3.6.1.2.1.1.5.0").returncode == 0


def test_answer_to_garbage_is_silence():
    noise = random.Random(5)
    agent = Agent(DEVICE, Mibs(Network([DEVICE])))
    assert all(agent.answer(noise.randbytes(size)) is None for size in range(200))


def test_answer_to_a_long_getbulk_fits_a_frame_and_the_walk_goes_on(lab, targets, port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(2)
        sock.sendto(request(v2c.GetBulkRequestPDU(), [(1, 3, 6)], 0, 1000), (targets[0], port))
        data = sock.recv(65_535)
    answer, _ = decoder.decode(data, asn1Spec=v2c.Message())
    assert MAX_BYTES - 200 < len(data) < MAX_BYTES + 60
    assert len(v2c.apiPDU.get_varbinds(v2c.apiMessage.get_pdu(answer))) > 20
