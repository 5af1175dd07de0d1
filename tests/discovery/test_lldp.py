"""Devices that announce themselves on a link, by real frames in network namespaces."""

from __future__ import annotations

import ipaddress
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pdsno_cli.discovery.announcements import load_scapy, read_frame

NEAR = "ip addr add 10.101.0.1/24 dev near0;"
CODE = """
import json, time
from pdsno_cli.discovery.sweep import sweep
from pdsno_cli.spec.topology import Snmp
deadline = time.monotonic() + 10
while time.monotonic() < deadline:
    result = sweep(["10.101.0.0/28"], ["lldp"], Snmp())
    (probe,) = result.probes
    if probe.answers == {answers} or probe.error:
        break
    time.sleep(0.05)
print(json.dumps([probe.error, [
    [list(o.addresses), o.mac, o.sys_name, o.sys_descr, dict(o.extra or {{}})]
    for o in result.observations
]]))
"""


def lldp(name="sw-1", address="10.101.0.9", mac="02:00:00:00:00:09", ttl=120, port=b"Gi1/0/7"):
    load_scapy()
    from scapy.contrib import lldp as layers
    from scapy.layers.l2 import Ether

    return bytes(
        Ether(dst="01:80:c2:00:00:0e", src=mac)
        / layers.LLDPDUChassisID(subtype=4, id=mac)
        / layers.LLDPDUPortID(subtype=5, id=port)
        / layers.LLDPDUTimeToLive(ttl=ttl)
        / layers.LLDPDUSystemName(system_name=name.encode())
        / layers.LLDPDUSystemDescription(description=b"Switch OS 1")
        / layers.LLDPDUManagementAddress(
            management_address_subtype=2 if ":" in address else 1,
            management_address=ipaddress.ip_address(address).packed,
            interface_numbering_subtype=2,
            interface_number=7,
        )
        / layers.LLDPDUEndOfLLDPDU()
    )


def cdp():
    load_scapy()
    from scapy.contrib import cdp as layers
    from scapy.layers.l2 import LLC, SNAP, Dot3

    return bytes(
        Dot3(dst="01:00:0c:cc:cc:cc", src="02:00:00:00:00:08")
        / LLC(dsap=0xAA, ssap=0xAA, ctrl=3)
        / SNAP(OUI=0xC, code=0x2000)
        / layers.CDPv2_HDR(
            vers=2,
            ttl=180,
            msg=[
                layers.CDPMsgDeviceID(val=b"core"),
                layers.CDPMsgAddr(naddr=1, addr=[layers.CDPAddrRecordIPv4(addr="10.101.0.8")]),
                layers.CDPMsgPortID(iface=b"GigabitEthernet0/1"),
                layers.CDPMsgSoftwareVersion(val=b"IOS 15"),
            ],
        )
    )


def sender(tmp_path, *frames, loud=False):
    """Return shell that sends frames from far0, ten times a second, until its namespace ends."""
    script = tmp_path / "send.py"
    noise = "sock.send(b'\\xff' * 12 + b'\\x08\\x06' + bytes(46))" if loud else "pass"
    script.write_text(f"""
import socket, time
sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
sock.bind(("far0", 0))
for _ in range(150):
    for frame in {[frame.hex() for frame in frames]}:
        sock.send(bytes.fromhex(frame)); {noise}
    time.sleep(0.1)
""")
    return f"{sys.executable} {script} >/dev/null 2>&1 &"


def test_devices_are_known_by_what_they_announce(in_namespace, tmp_path):
    peer = sender(tmp_path, lldp(), cdp(), b"\xff" * 60, loud=True)
    error, found = in_namespace(CODE.format(answers=2), near=NEAR, peer=peer)
    assert error is None
    assert found == [
        [["10.101.0.8"], None, "core", "IOS 15",
         {"heard_on": "near0", "heard_port": "GigabitEthernet0/1"}],
        [["10.101.0.9"], "02:00:00:00:00:09", "sw-1", "Switch OS 1",
         {"heard_on": "near0", "heard_port": "Gi1/0/7"}],
    ]  # fmt: skip


def test_device_is_known_by_an_ipv6_address(in_namespace, tmp_path):
    text = CODE.replace("10.101.0.0/28", "fd00:1::8/125").format(answers=1)
    near = "ip -6 addr add fd00:1::1/64 dev near0 nodad"
    _, found = in_namespace(text, near=near, peer=sender(tmp_path, lldp(address="fd00:1::9")))
    assert [(item[0], item[2]) for item in found] == [(["fd00:1::9"], "sw-1")]


def test_an_address_that_is_no_target_is_not_found(in_namespace, tmp_path):
    peer = sender(tmp_path, lldp(address="10.101.0.77"), lldp(name="sw-2", port=b"2"))
    _, found = in_namespace(CODE.format(answers=1), near=NEAR, peer=peer)
    assert [(addresses, name) for addresses, _, name, _, _ in found] == [(["10.101.0.9"], "sw-2")]


def test_without_privileges_it_says_what_is_missing(in_namespace):
    error, _ = in_namespace(CODE.format(answers=1), near=NEAR, without="net_raw")
    assert error.startswith("needs CAP_NET_RAW (grant it: ")


def test_a_device_that_shuts_down_says_so_and_is_gone():
    assert read_frame(lldp(ttl=0)).ttl == 0
    assert read_frame(lldp(ttl=65_535)).ttl == 600


def test_text_is_cut_and_cleaned():
    item = read_frame(lldp(name="a\x1b[31mb\n" + "c" * 200))
    assert item.name.isprintable()
    assert "\x1b" not in item.name


@pytest.mark.parametrize("frame", [b"", bytes(14), lldp()[:20], cdp()[:30], b"\x88\xcc" * 20])
def test_what_is_no_announcement_is_none(frame):
    assert read_frame(frame) is None


@settings(max_examples=150)
@given(st.data())
def test_broken_frames_are_read_without_an_error(data):
    frame = bytearray(data.draw(st.sampled_from([lldp(), cdp()])))
    for _ in range(data.draw(st.integers(1, 6))):
        frame[data.draw(st.integers(14, len(frame) - 1))] = data.draw(st.integers(0, 255))
    item = read_frame(bytes(frame[: data.draw(st.integers(14, len(frame)))]))
    for text in (item.name, item.description, item.port) if item is not None else ():
        assert text is None or (text.isprintable() and len(text) <= 1024)
