"""Agents that play recordings of somebody else's: what is served, and what is said of bad files."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from pyasn1.type.univ import OctetString
from pysnmp.proto.api import v2c

import pdsno_cli.lab
from pdsno_cli.discovery.identify.answers import Answers
from pdsno_cli.discovery.identify.identity import identify
from pdsno_cli.discovery.identify.recording import read_recording
from pdsno_cli.discovery.sweep import sweep
from pdsno_cli.lab.agent import Agent
from pdsno_cli.lab.mib import Mibs
from pdsno_cli.lab.network import Network
from pdsno_cli.lab.others import recordings
from pdsno_cli.lab.plan import Segment, plan
from pdsno_cli.lab.server import Lab
from pdsno_cli.model.errors import LabError
from pdsno_cli.model.targets import expand
from pdsno_cli.runtime.lab import planned_devices
from pdsno_cli.spec.load import load
from pdsno_cli.spec.topology import Snmp
from tests.conftest import require
from tests.lab.conftest import free_udp_port, served
from tests.lab.oracle import read, request

OWN = Path(pdsno_cli.lab.__file__).parent / "recordings"
SYSTEM = (1, 3, 6, 1, 2, 1, 1)
# Each line as it may stand in a file, and the value that is served, None for none.
LINES = [
    (b"1.3.6.1.2.1.1.1.0|4|An invented thing|with a bar", b"An invented thing|with a bar"),
    (b".1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.99999.1", (1, 3, 6, 1, 4, 1, 99999, 1)),
    (b"1.3.6.1.2.1.1.5.0|4x|737700e9", None),  # the name that it has in the lab stands there
    (b"1.3.6.1.2.1.1.6.0|4e|Hall \\x4d\\n2", b"Hall M\n2"),
    (b"1.3.6.1.2.1.1.7.0|2|-5", -5),
    (b"1.3.6.1.4.1.99999.1|64|192.0.2.7", b"\xc0\x00\x02\x07"),
    (b"1.3.6.1.4.1.99999.2|64x|c0000208", b"\xc0\x00\x02\x08"),
    (b"1.3.6.1.4.1.99999.3|65|4294967295", 4294967295),
    (b"1.3.6.1.4.1.99999.4|66|17", 17),
    (b"1.3.6.1.4.1.99999.5|70|18446744073709551615", 18446744073709551615),
    (b"1.3.6.1.4.1.99999.6|68x|9f78044048f5c3", bytes.fromhex("9f78044048f5c3")),
    (b"1.3.6.1.4.1.99999.7|67:numeric|5", 5),  # a variation of snmpsim's: what was recorded
    (b"1.3.6.1.4.1.99999.20|2|none", None),
    (b"1.3.6.1.4.1.99999.21|65|-1", None),
    (b"1.3.6.1.4.1.99999.22|2|99999999999", None),
    (b"1.3.6.1.4.1.99999.23|4x|0g", None),
    (b"1.3.6.1.4.1.99999.24|64|elsewhere", None),
    (b"1.3.6.1.4.1.99999.25|5|", None),
    (b"no line at all", None),
    (b"", None),
]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "odd.snmprec").write_bytes(b"\r\n".join(line for line, _ in LINES))
    (tmp_path / "bare.snmprec").write_bytes(b"1.3.6.1.2.1.1.1.0|4|A bare thing\n")
    (tmp_path / "README.txt").write_text("no recording")
    return tmp_path


def agents(folder, count=2, snmp=2):
    segment = Segment(targets=expand([f"127.102.7.1-127.102.7.{count}"]), community="lab")
    devices = plan([segment], devices=count, snmp=snmp, files=recordings(folder))
    mibs = Mibs(Network(devices))
    return [Agent(device, mibs) for device in devices], devices


def walk(agent):
    found, oid = {}, (0, 0)
    while True:
        _, status, _, [(oid, value)] = read(agent.answer(request(v2c.GetNextRequestPDU(), [oid])))
        assert status == 0
        if type(value).__name__ == "EndOfMibView":
            return found
        found[oid] = value


def test_agents_play_files_in_the_order_of_their_names(folder):
    (bare, odd, third), devices = agents(folder, 3, 3)
    assert [device.sys_name for device in devices] == ["bare", "sw\ufffd", "rt-edge-03"]
    assert bytes(walk(bare)[(*SYSTEM, 1, 0)]) == b"A bare thing"
    assert set(walk(bare)) == {(*SYSTEM, 1, 0), (*SYSTEM, 3, 0), (*SYSTEM, 5, 0)}
    assert len(walk(third)) > 500
    assert bytes(walk(odd)[(*SYSTEM, 5, 0)]) == "sw\ufffd".encode()


def test_values_are_served_with_their_types(folder):
    (_, odd), _ = agents(folder)
    served_values = walk(odd)
    del served_values[(*SYSTEM, 3, 0)], served_values[(*SYSTEM, 5, 0)]
    expected = [value for _, value in LINES if value is not None]
    found = [
        tuple(value) if type(value).__name__ == "ObjectIdentifier"
        else bytes(value) if isinstance(value, OctetString)
        else int(value)
        for value in served_values.values()
    ]  # fmt: skip
    assert found == expected
    kinds = [type(value).__name__ for value in served_values.values()][-7:]
    assert kinds == ["IpAddress", "IpAddress", "Counter32", "Gauge32", "Counter64", "Opaque",
                     "TimeTicks"]  # fmt: skip


def test_discovery_finds_what_identify_reads_in_the_file(tmp_path):
    for name in ("firewall-fortios", "leaf-eos"):
        (tmp_path / f"{name}.snmprec").write_bytes((OWN / f"{name}.snmprec").read_bytes())
    port = free_udp_port("127.102.7.1")
    targets = ["127.102.7.1", "127.102.7.2"]
    segment = Segment(targets=targets, port=port, community="lab")
    devices = plan([segment], devices=2, snmp=2, files=recordings(tmp_path))
    with served(Lab(devices)):
        seen = sweep(targets, ["snmp"], Snmp(port=port, community="lab", timeout=1.0)).observations
    for item, device in zip(seen, devices, strict=True):
        said = identify(Answers(read_recording(Path(device.file).read_bytes())))
        for key in ("vendor", "type", "os", "version", "model", "serial"):
            assert item.extra.get(key) == (said[key].value if key in said else None)


def test_topology_names_a_folder_relative_to_itself(folder):
    (folder / "t.yaml").write_text(
        "name: one\nregions: {r: {}}\n"
        "controllers:\n  gc: {role: global}\n  rc: {role: regional, region: r}\n"
        "  lc: {role: local, region: r, discovery: {targets: [127.102.7.1-127.102.7.4]}}\n"
        "lab: {devices: 4, snmp: 3, recordings: .}\n"
    )
    devices = planned_devices(load(folder / "t.yaml").topology)
    assert [Path(item.file).name for item in devices] == ["bare.snmprec", "odd.snmprec", "", ""]
    assert [item.snmp for item in devices] == [True, True, True, False]


def test_folder_without_recordings_is_an_error(tmp_path):
    with pytest.raises(LabError, match=r"has no \*\.snmprec file"):
        recordings(tmp_path)
    with pytest.raises(LabError, match="No such file or directory"):
        recordings(tmp_path / "none")


def test_file_that_goes_while_the_lab_runs_leaves_the_name(folder, caplog):
    (bare, odd), _ = agents(folder)
    (folder / "odd.snmprec").unlink()
    assert set(walk(odd)) == {(*SYSTEM, 3, 0), (*SYSTEM, 5, 0)}
    assert "cannot read the recording" in caplog.text
    assert len(walk(bare)) == 3


def test_net_snmp_walks_a_recording(folder):
    port = free_udp_port("127.102.7.1")
    segment = Segment(targets=["127.102.7.1", "127.102.7.2"], port=port, community="lab")
    with served(Lab(plan([segment], devices=2, snmp=2, files=recordings(folder)))):
        done = subprocess.run(
            [require("snmpbulkwalk"), "-v2c", "-c", "lab", "-On", f"127.102.7.2:{port}", ".1"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "= IpAddress: 192.0.2.7" in done.stdout
    assert "= Counter64: 18446744073709551615" in done.stdout
