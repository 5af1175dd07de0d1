"""Facts from sysObjectID, sysDescr and standard MIBs; every sysDescr here is of the vendor's form."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pdsno_cli.discovery.identify.answers import Answers, Object
from pdsno_cli.discovery.identify.facts import CLASSES
from pdsno_cli.discovery.identify.identity import identify, known_name
from pdsno_cli.discovery.identify.rule import Rule, oid_of, several
from pdsno_cli.discovery.identify.rules import RULES
from pdsno_cli.model.snmprec import parse_oid

ENTITY = "1.3.6.1.2.1.47.1.1.1.1"


def device(descr="", oid=None, **objects):
    """Return what a device is; objects are given by OID, in a mapping named ``more``."""
    found = {parse_oid("1.3.6.1.2.1.1.1.0"): Object(descr.encode())}
    if oid is not None:
        found[parse_oid("1.3.6.1.2.1.1.2.0")] = Object(parse_oid(f"1.3.6.1.4.1.{oid}"))
    for text, value in objects.get("more", {}).items():
        found[parse_oid(text)] = Object(value.encode() if isinstance(value, str) else value)
    return {field: fact.value for field, fact in identify(Answers(found)).items()}


CASES = [
    ("Cisco IOS Software, C2960X Software (C2960X-UNIVERSALK9-M), Version 15.2(7)E8, RELEASE SOFTWARE (fc2)", "9.1.1208",
     "Cisco", "IOS", "switch", "15.2(7)E8"),
    ("Cisco IOS Software, 2800 Software (C2800NM-ADVIPSERVICESK9-M), Version 12.4(24)T5, RELEASE SOFTWARE (fc3)", "9.1.576",
     "Cisco", "IOS", "router", "12.4(24)T5"),
    ("Cisco IOS Software [Fuji], ISR Software (X86_64_LINUX_IOSD-UNIVERSALK9-M), Version 16.9.4, RELEASE SOFTWARE (fc2)", "9.1.2068",
     "Cisco", "IOS-XE", "router", "16.9.4"),
    ("Cisco NX-OS(tm) n5000, Software (n5000-uk9), Version 7.3(2)N1(1), RELEASE SOFTWARE Copyright (c)", "9.12.3.1.3.1084",
     "Cisco", "NX-OS", "switch", "7.3(2)N1(1)"),
    ("Cisco IOS XR Software (Cisco ASR9K Series),  Version 6.5.3[Default] Copyright (c) 2019", "9.1.1017",
     "Cisco", "IOS-XR", "router", "6.5.3[Default]"),
    ("Cisco Adaptive Security Appliance Version 9.8(4)", "9.1.745", "Cisco", "ASA", "firewall", "9.8(4)"),
    ("Juniper Networks, Inc. srx345 internet router, kernel JUNOS 20.2R3.9, Build date", "2636.1.1.1.2.137",
     "Juniper", "Junos", "firewall", "20.2R3.9"),
    ("TiMOS-C-16.0.R7 cpm/hops64 Nokia 7750 SR Copyright (c) 2000-2019 Nokia.", "6527.1.3.4", "Nokia", "SR OS", "router", "16.0.R7"),
    ("ExtremeXOS (X460G2-48p-10G4) version 22.7.1.2 22.7.1.2-patch1-6 by release-manager", "1916.2.167",
     "Extreme Networks", "EXOS", "switch", "22.7.1.2"),
    ("Brocade Communications Systems, Inc. ICX6450-24, IronWare Version 08.0.30hT311", "1991.1.3.48.2.1",
     "Brocade", "IronWare", "switch", "08.0.30hT311"),
    ("HPE Comware Platform Software, Software Version 7.1.070, Release 3506P02 HPE 5130-24G-4SFP+ EI Switch", "25506.11.1.181",
     "HPE", "Comware", "switch", "7.1.070"),
    ("SonicWALL TZ 300 (SonicOS Enhanced 6.5.4.4-44n)", "8741.1", "SonicWall", "SonicOS", "firewall", "6.5.4.4-44n"),
    ("pfSense fw.example.net 2.7.2-RELEASE FreeBSD 14.0-CURRENT amd64", "8072.3.2.8", "Netgate", "pfSense", "firewall", "2.7.2-RELEASE"),
    ("NetApp Release 9.8P5: Fri Jun 11 08:24:17 UTC 2021", "789.2.5", "NetApp", "ONTAP", "storage", "9.8P5"),
    ("VMware ESXi 7.0.3 build-19193900 VMware, Inc. x86_64", "6876.4.1", "VMware", "ESXi", "hypervisor", "7.0.3"),
    ("FreeBSD host 13.2-RELEASE FreeBSD 13.2-RELEASE GENERIC amd64", "8072.3.2.8", None, "FreeBSD", "server", "13.2-RELEASE"),
    ("Linux host 5.10.0-28-amd64 #1 SMP Debian 5.10.209-2 x86_64", "8072.3.2.10", None, "Linux", "server", "5.10.0-28-amd64"),
    ("Lexmark MX611dhe version NH.SB7.N632 kernel 3.0.0 All-N-1", "641.6.2.40", "Lexmark", "Lexmark", "printer", "NH.SB7.N632"),
    ("Arista Networks EOS version 4.28.3M running on an Arista Networks DCS-7280SR-48C6", "30065.1.3011", "Arista", "EOS", "switch", "4.28.3M"),
    ("PowerConnect 6224, 3.3.3.3, VxWorks 6.5", "674.10895.3010", "Dell", "DNOS", "switch", "3.3.3.3"),
    ("<<HW_REV: 2.0; VENDOR: Technicolor; BOOTR: 2.4; SW_REV: STD1.2; MODEL: TC7200>>", "4491.2",
     "Technicolor", "DOCSIS", "router", "STD1.2"),
    ("ArubaOS (MODEL: 105), Version 6.2.1.0-3.3.0.0 (36379)", "14823.1.2.34", "HPE Aruba", "ArubaOS", "access point", "6.2.1.0-3.3.0.0"),
    ("NetScaler NS10.5: Build 57.7.nc, Date: May 14 2015", "5951.1", "Citrix", "NetScaler", "load balancer", "10.5"),
    ("Linux gw 3.10.0-957cpx86_64 #1 SMP x86_64", "8072.3.2.10", "Check Point", "Gaia", "firewall", None),
    ("RICOH Aficio MP C3002 1.08 / RICOH Network Printer C model", "367.1.1", "Ricoh", "Ricoh", "printer", "1.08"),
    ("Rittal CMC III PU SN 12345678 HW V3.00 - SW V3.11.00_5", "2606.7", "Rittal", "Rittal CMC", "environment", "V3.11.00_5"),
    ("Ethernet Routing Switch 5520-48T-PWR      HW:02       FW:6.0.0.10  SW:v6.2.4.011", "45.3.74.1",
     "Nortel", "BOSS", "switch", "6.2.4.011"),
    ("Example Secure Web Proxy", "3417.1.1.40", "Blue Coat", "SGOS", "network appliance", None),
    ("Cisco IOS Software, Version 15.9(3)M2", "9.1.99999", "Cisco", "IOS", "router", "15.9(3)M2"),
    ("H3C Comware Platform Software, Software Version 5.20", "25506.1.9999", "H3C", "Comware", "switch", "5.20"),
    ("CANOPY 16.0 AP", "161.19.250.256", "Cambium", "Canopy", "radio", "16.0"),
    ("Aruba Instant On 1930 24G 4SFP+, InstantOn_1930_2.5.0.0 (12)", "11.2.3.7.11.999", "HPE Aruba", "Instant On", "switch", "2.5.0.0"),
    ("BUFFALO TeraStation TS1234 Ver. 4.01", "8072.3.2.10", "Buffalo", "TeraStation", "storage", "4.01"),
    ("Linux Teltonika-RUT999.example 5.4.0 mips", "8072.3.2.10", "Teltonika", "RutOS", "router", None),
    ("AN5516-99", "5875.800.1001.1", "FiberHome", "FiberHome", "transport", None),
    ("Alta S99 1.2a", "61802.9", "Alta Labs", "Alta Labs", "switch", "1.2a"),
    ("Cisco Secure Access Control System 5.8", "9.1.1117", "Cisco", "ACS", "server", None),
    ("Cisco SPA999G", "9.6.1.23.1", "Cisco", "Cisco SPA", "phone", None),
    ("FortiSandbox", "12356.118.1.1", "Fortinet", "FortiSandbox", "appliance", None),
    ("FortiExtender", "12356.121.1.1", "Fortinet", "FortiExtender", "router", None),
    ("Dominion KX9-999 3.4.5", "13742.3.2.1", "Raritan", "Raritan KX", "console server", "3.4.5"),
    ("SNR-ERD-9", "40418.2.9", "SNR", "SNR-ERD", "environment", None),
    ("m0n0wall 1.8 FreeBSD", "12325.1.1.2.1.1", None, "m0n0wall", "firewall", None),
    ("Vega990 VoIP gateway", "4686.9", "VegaStream", "Vega", "network appliance", None),
    ("Linux bison 5.1", "8072.3.2.10", "Bison", "Bison Router", "router", None),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0][:30])
def test_description_of_a_vendor_says_what_a_device_is(case):
    descr, oid, *expected = case
    found = device(descr, oid)
    assert [found.get(field) for field in ("vendor", "os", "type", "version")] == expected


def test_unknown_vendor_yields_nothing_rather_than_a_guess():
    assert device("", "4294967295.1") == {}
    assert device() == {}


@pytest.mark.parametrize(
    ("oid", "vendor", "kind"),
    [
        ("42111.640", "Inovonics", "appliance"), ("49136.1", "ALGcom", "power"), ("38516.2.1", "Allworx", "phone"),
        ("55108.1", "Riedo Networks", "power"), ("266.20.4", "Nexans", "switch"), ("27975.1", "Centec", "switch"),
        ("12551.2", "CE+T", "power"), ("46651.1", "Dantherm", "environment"), ("2468.1", "Ingrasys", "power"),
        ("16174.1", "Sensatronics", "environment"), ("28194.1", "Exterity", "appliance"), ("33826.1", "Lutong", "transport"),
        ("11898.2.4.6", "Proxim", "access point"), ("5395.1", "Ribbon", "transport"), ("1918.2.13", "Eaton", "power"),
        ("6066.1", "Calix", "transport"), ("7309.4", "Alpha Technologies", "power"), ("31394.1", "Victron", "power"),
        ("17409.1", None, "transport"), ("5003.8.1", "AudioCodes", "network appliance"),
    ],
)  # fmt: skip
def test_number_alone_says_vendor_and_type(oid, vendor, kind):
    found = device("", oid)
    assert (found.get("vendor"), found["type"]) == (vendor, kind)


@pytest.mark.parametrize(
    ("descr", "oid", "field", "value"),
    [
        ("Example ES9 Software Version ABC_4.14", "8886.9", "version", "ABC_4.14"),
        ("CMTS_V09.01.02, C9 CMTS", "4998.9", "version", "09.01.02"),
        ("DASAN V9999G 4.04", "6296.9", "version", "4.04"),
        ("PDU91001 FW 1.1.0", "3808.1.1.3", "model", "PDU91001"),
        ("FL SWITCH XYZ 9GT", "4346.9", "model", "FL SWITCH XYZ 9GT"),
        ("NetScreen-99 version 5.4.0r99.0 (SN: 0099345, Firewall+VPN)", "3224.1.9", "serial", "0099345"),
        ("BiNOX (T-Test-9999) Version 2.9.R9", "738.10.5.100", "model", "T-Test-9999"),
        ("Model C990, AsyncOS Version: 9.9.1-066, Serial #: ABC123-DEF", "15497.1.1", "model", "C990"),
        ("Avaya Inc., G990 Media Gateway, sw_ver=99.20.1", "6889.1.9", "version", "99.20.1"),
        ("Linux netbotz 2.4.26 #1 PPC", "5528.100.20.10", "model", None),
        ("Linux host 5.4.0", "8072.3.2.10", "model", None),
    ],
)  # fmt: skip
def test_description_holds_a_detail(descr, oid, field, value):
    assert device(descr, oid).get(field) == value


@pytest.mark.parametrize(
    ("base", "model", "version", "serial"),
    [
        ("1.0.8802.1.1.2.1.5.4795.1.2", ".7.0", ".4.0", ".5.0"),
        ("1.3.6.1.4.1.14851.3.1.3", ".1.0", ".4.0", ".2.0"),
        ("1.3.6.1.3.94.1", ".6.1.7.9.9", ".7.1.3.9.9.1", ".6.1.8.9.9"),
        ("1.2.840.10036.3.1.2.1", ".3.4", ".4.4", None),
        ("1.3.6.1.4.1.5591.1.3.1", ".3.0", None, ".4.0"),
        ("1.3.6.1.2.1.69.1", None, ".3.5.0", ".1.4.0"),
        ("1.3.6.1.4.1.89.53.14.1", None, ".2.1", ".5.1"),
    ],
)
def test_inventory_that_many_makers_serve(base, model, version, serial):
    values = {model: "XM-9", version: "9.8.7", serial: "ZZ0009"}
    more = {base + place: value for place, value in values.items() if place}
    found = device("", "4294967295.1", more=more)
    for field, place in (("model", model), ("version", version), ("serial", serial)):
        assert found.get(field) == (values[place] if place else None)


@pytest.mark.parametrize(
    ("oid", "field", "place", "value"),
    [
        ("6027.1.3.9", "serial", "6027.3.10.1.2.2.1.12.1", "ZZ9E9250002"),
        ("20632.8", "version", "20632.8.25.0", "9.8.7.001"),
        ("20632.8", "serial", "20632.8.28.0", "990001"),
        ("2.3.51.3", "model", "2.3.51.3.1.5.2.1.5.0", "Server x9999"),
        ("19046.11.1", "serial", "19046.11.1.1.5.2.1.3.0", "ZZ00009"),
        ("12356.113", "version", "12356.113.1.3.0", "v9.9.0-build0001"),
        ("12356.118.1", "version", "12356.118.3.1.1.0", "v9.52-build0001 (GA)"),
        ("14851.3.1", "model", "14851.3.1.4.2.0", "Library 9"),
        ("3097.1.5.99", "version", "3097.6.3.1.0", "9.5.2"),
        ("21239.2", "serial", "21239.5.2.1.10.0", "ZZ990009"),
        ("17409.1", "model", "17409.2.3.1.2.1.1.3.1", "FD9999"),
        ("37950.1", "version", "37950.1.1.5.10.12.5.4.0", "V9.1.5"),
        ("14525.3.1.99", "serial", "14525.4.2.1.1.0", "ZZ09934567"),
        ("3417.1.1.99", "version", "3417.2.11.1.3.0", "9.9.5.1"),
        ("12148.10", "model", "12148.10.2.6.0", "Smartpack S9"),
        ("6321.1.2.2.5", "serial", "6321.1.2.2.2.1.7.10.0", "990001234567"),
        ("28557.1.99", "serial", "28557.2.2.1.1.0", "9990001"),
        ("25049.1.99", "version", "25049.17.1.1.0", "9.12.1"),
        ("231.1", "model", "231.2.10.2.2.10.2.3.1.5.1", "Server RX9999"),
        ("207.1.4.999", "version", "207.8.4.4.4.500.2.1.2.0", "9.0.0.45"),
    ],
)
def test_object_of_a_vendor_holds_a_detail(oid, field, place, value):
    assert device("", oid, more={f"1.3.6.1.4.1.{place}": value})[field] == value


def test_number_of_access_points_is_not_the_model_of_their_controller():
    more = {
        "1.3.6.1.4.1.25053.1.4.1.1.1.15.1.0": 42,
        "1.3.6.1.4.1.25053.1.4.1.1.1.15.13.0": "ZZ0000000009",
        "1.3.6.1.4.1.25053.1.8.1.1.1.1.1.1.3.1.9": "SZ999",
    }
    found = device("Ruckus Wireless SmartZone", "25053.3.1.99", more=more)
    assert (found["model"], found["serial"]) == ("SZ999", "ZZ0000000009")


def test_running_version_of_two_is_the_version():
    found = device(
        "XTM999", "3097.1.5.99", more={"1.3.6.1.4.1.3097.6.3.1.0": "<sysa:9.5.2><sysb:9.5.1>"}
    )
    assert found["version"] == "9.5.2"


def test_scripts_of_a_linux_host_say_its_hardware():
    more = {
        "1.3.6.1.4.1.8072.1.3.2.3.1.1.8.104.97.114.100.119.97.114.101": "RackBox 9",
        "1.3.6.1.4.1.8072.1.3.2.3.1.1.6.115.101.114.105.97.108": "To be filled by O.E.M.",
        "1.3.6.1.4.1.2021.7890.4.4.1.2.6.115.101.114.105.97.108.1": "ZZ0009",
    }
    found = device("Linux db 6.1.0 #1 SMP x86_64", "8072.3.2.10", more=more)
    assert (found["model"], found["serial"]) == ("RackBox 9", "ZZ0009")


def test_agent_of_a_tape_library_is_no_vendor():
    found = device("", "14851.3.1", more={"1.3.6.1.4.1.14851.3.1.3.1.0": "Library 9"})
    assert (found.get("vendor"), found["type"], found["model"]) == (None, "storage", "Library 9")


@pytest.mark.parametrize(
    ("descr", "kind"),
    [
        ("Example SIP gateway 9", "network appliance"),
        ("Example session border controller", "network appliance"),
        ("Example WAN optimizer", "network appliance"),
        ("Example UPS with SNMP proxy", "power"),
        ("Example web gateway", "appliance"),
    ],
)
def test_word_of_an_unknown_device_says_its_type(descr, kind):
    assert device(descr, "4294967295.1")["type"] == kind


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("HPE Aruba switch", "HPE Aruba"), ("HPE switch", "HPE"), ("barco wall", "Barco"), ("Barcode reader", None),
        ("APC-Card", "APC"), ("", None), ("A Cisco router", None), ("FS", None),
    ],
)  # fmt: skip
def test_text_starts_with_the_whole_name_of_a_vendor(text, name):
    assert known_name(text) == name


def test_net_snmp_names_the_system_not_the_vendor():
    assert device("Linux a 6.1.0 #1 SMP x86_64", "8072.3.2.10").get("vendor") is None


def test_vendor_without_a_rule_comes_from_its_number_and_type_from_words():
    found = device("Example 24-port managed switch, firmware version 3.2.1", "7342.1")
    assert (found["vendor"], found["type"], found["version"]) == ("Omnitron", "switch", "3.2.1")


def test_first_source_that_says_something_counts():
    more = {
        f"{ENTITY}.5.1": 3, f"{ENTITY}.11.1": "0000000000", f"{ENTITY}.13.1": "N/A",
        f"{ENTITY}.5.2": 3, f"{ENTITY}.11.2": "ZZ0001234", f"{ENTITY}.13.2": "CHASSIS-9",
    }  # fmt: skip
    found = device("Something", "9.1.1", more=more)
    assert (found["serial"], found["model"]) == ("ZZ0001234", "CHASSIS-9")


def test_serial_number_of_a_power_supply_or_card_is_not_the_device():
    more = {
        f"{ENTITY}.5.1": 3, f"{ENTITY}.5.2": 6, f"{ENTITY}.11.2": "PSU12345", f"{ENTITY}.5.3": 9, f"{ENTITY}.11.3": "CARD12345",
    }  # fmt: skip
    assert "serial" not in device("Something", "9.1.1", more=more)


def test_source_may_be_relative_to_the_object_id():
    more = {
        "1.3.6.1.4.1.8691.7.99.1.2.0": "EDS-999",
        "1.3.6.1.4.1.8691.7.99.1.4.0": "V9.1",
        "1.3.6.1.4.1.8691.1.4.0": "V0",
    }
    found = device("Managed device", "8691.7.99", more=more)
    assert (found["model"], found["version"]) == ("EDS-999", "V9.1")
    assert "version" not in device("Managed device", "8691", more=more)


def test_hardware_under_linux_names_its_maker():
    found = device(
        "Linux db 5.4.0 #1 SMP x86_64",
        "8072.3.2.10",
        more={
            "1.3.6.1.4.1.674.10892.1.300.10.1.9.1": "PowerEdge R640",
            "1.3.6.1.4.1.674.10892.1.300.10.1.11.1": "ZZ00001",
        },
    )
    assert (found["vendor"], found["model"], found["serial"], found["type"]) == (
        "Dell",
        "PowerEdge R640",
        "ZZ00001",
        "server",
    )


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({"1.3.6.1.2.1.43.5.1.1.17.1": "AB12345"}, "printer"),
        ({"1.3.6.1.2.1.33.1.1.2.0": "UPS 3000"}, "power"),
        ({"1.3.6.1.2.1.17.1.2.0": 24}, "switch"),
        ({"1.3.6.1.2.1.14.1.1.0": "10.0.0.1"}, "router"),
        ({"1.2.840.10036.1.1.1.1.1": "x"}, "access point"),
        ({"1.0.8802.1.1.2.1.3.6.0": "\x04"}, "phone"),
    ],
)
def test_standard_mibs_tell_the_type_of_an_unknown_device(more, kind):
    assert device("", "4294967295.1", more=more)["type"] == kind


def patterns(rule: Rule):
    yield from (text for text in (rule.descr, rule.unless) if text)
    for source in (*several(rule.version), *several(rule.model), *several(rule.serial)):
        _, _, pattern = source.partition(" ~ ")
        if not source.startswith("@"):
            yield source
        elif pattern:
            yield pattern


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.os)
def test_rule_is_well_formed(rule):
    for pattern in patterns(rule):
        re.compile(pattern)
    for source in (*several(rule.version), *several(rule.model), *several(rule.serial)):
        if source.startswith("@"):
            oid_of(source[1:].partition(" ~ ")[0].removeprefix("+.").removeprefix("-."))
        else:
            assert re.compile(source).groups, source
    for text in (*several(rule.oid), *several(rule.serves)):
        assert len(oid_of(text)) > 6
    assert rule.kind is None or rule.kind in CLASSES


def test_a_rule_without_a_condition_is_refused():
    with pytest.raises(ValueError, match="no condition"):
        Rule(os="x")


def test_no_rule_hides_behind_an_earlier_one_that_is_wider():
    hidden = [
        (early.os, late.os, prefix)
        for number, late in enumerate(RULES)
        for early in RULES[:number]
        if early.oid and not early.descr and not early.serves and not early.unless
        for prefix in several(late.oid)
        if any(oid_of(prefix)[: len(oid_of(text))] == oid_of(text) for text in several(early.oid))
        and not late.serves
    ]
    assert hidden == []


def test_rule_of_the_page_is_one():
    page = (Path(__file__).parents[3] / "docs/identification.md").read_text()
    (text,) = re.findall(r"^```python\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    assert eval(text, {"Rule": Rule}).os == "ExampleOS"


def test_bus_or_drive_in_the_entity_table_is_not_the_device():
    more = {
        f"{ENTITY}.5.1": 2, f"{ENTITY}.2.1": "Board", f"{ENTITY}.5.7": 2,
        f"{ENTITY}.11.7": "usb1234567", f"{ENTITY}.13.7": "0x0029",
    }  # fmt: skip
    found = device("Something", "9.1.1", more=more)
    assert "serial" not in found
    assert "model" not in found


def test_part_number_of_a_card_does_not_make_an_access_point():
    assert device("Web Card AP9641", "318.1", more={})["type"] == "power"
