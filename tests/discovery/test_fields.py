"""Which fields belong to which protocol, and where a device carries them."""

from __future__ import annotations

from pdsno_cli.discovery.fields import answered, fields_of, members, names
from pdsno_cli.model.devices import Observation
from pdsno_cli.model.probes import DETAIL, IDENTITY, UNIQUE


def test_names_leave_out_the_mac_and_are_none_of_an_unknown_protocol():
    assert names("snmp") == (
        "sys_name", "sys_descr", "sys_object_id", "uptime", "credential",
        *IDENTITY, *UNIQUE, DETAIL,
    )  # fmt: skip
    assert names("arp") == names("icmp") == ("shared",)
    assert names("gone") == ()


def test_fields_of_are_those_of_the_protocols_alone():
    seen = Observation(
        addresses=("10.0.0.1",), protocols=("icmp", "snmp"), sys_name="a", uptime=0.0
    )
    assert fields_of(seen, ("snmp",)) == {"sys_name": "a", "uptime": 0.0}
    assert fields_of(seen, ("icmp", "gone")) == {}


def test_answered_leaves_out_what_a_protocol_does_not_yield():
    assert answered("snmp", {"sys_name": "a", "mac": "x", "qotd": "b"}) == {"sys_name": "a"}


def test_members_puts_other_fields_into_extra_as_bounded_printable_text():
    assert members({"sys_name": "a"}) == {"sys_name": "a"}
    found = members({"sys_name": "a", "one": "b\x1b\n" * 1000, "two": 3.5, "three": "\n"})
    assert found == {"sys_name": "a", "extra": {"one": ("b " * 512).rstrip(), "two": "3.5"}}
