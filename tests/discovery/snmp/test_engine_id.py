"""Which SNMP engine ids identify one device."""

from __future__ import annotations

import pytest

from pdsno_cli.discovery.snmp.engine_id import engine_id
from pdsno_cli.discovery.snmp.probe import SnmpProbe
from tests.discovery.conftest import responder
from tests.discovery.snmp.details.switch import OBJECTS
from tests.discovery.snmp.table_agent import TableAgent
from tests.discovery.snmp.test_identities import ADDRESS, sweep

ENGINE_ID = (1, 3, 6, 1, 6, 3, 10, 2, 1, 1, 0)
BRIDGE = (1, 3, 6, 1, 2, 1, 17, 1, 1, 0)


@pytest.mark.parametrize(
    "text",
    [
        "8000000903001b54aa0001",  # Cisco, a MAC
        "80001f8880e9bd0c1d12667a5100000000",  # net-snmp, random
        "8000270f04" + b"rack-7-sw-2".hex(),
        "800000ac01c0000201",  # an IPv4 address
        "8000052305" + "0102030405",
        "00000063000000a1c0a80132",  # the old form of twelve octets
    ],
)
def test_engine_id_of_a_device(text):
    assert engine_id(bytes.fromhex(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "80001f88",  # nothing behind the enterprise
        "80001f8880",
        "8000000903000000000000",  # no MAC
        "80000009030001",
        "800000090300005e000101",  # VRRP's
        "80000009017f000001",  # 127.0.0.1
        "8000000901" + "00" * 4,
        "8000000904" + b"none".hex(),
        "8000000904" + b"xxxx".hex(),
        "8000000905" + "ff" * 8,
        "8000000007c0000201",  # a reserved form
        "80000000050102030405",  # no enterprise
        "ff" * 12,
        "00" * 12,
        "00000063000000a1c0a8",  # the old form, too short
        "80000009" + "05" + "01" * 14 + "02" * 15,
    ],
)
def test_engine_id_of_nobody(text):
    assert engine_id(bytes.fromhex(text)) is None


def test_probe_returns_engine_id_and_bridge_address():
    engine = bytes.fromhex("8000000903001b54aa0001")
    objects = OBJECTS | {ENGINE_ID: engine, BRIDGE: bytes.fromhex("001b54aa0000")}
    with responder(ADDRESS, TableAgent(objects)) as port:
        answer = sweep(SnmpProbe(), port)[ADDRESS]
    assert (answer["engine_id"], answer["bridge_mac"]) == (engine.hex(), "00:1b:54:aa:00:00")


def test_probe_returns_neither_where_they_say_nothing():
    objects = OBJECTS | {ENGINE_ID: bytes(12), BRIDGE: bytes(6)}
    with responder(ADDRESS, TableAgent(objects)) as port:
        answer = sweep(SnmpProbe(), port)[ADDRESS]
    assert not {"engine_id", "bridge_mac"} & set(answer)
