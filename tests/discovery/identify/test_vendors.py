"""The table of enterprise numbers, and the system's list behind it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pdsno_cli.discovery.identify import vendors
from pdsno_cli.discovery.identify.evaluate import os_vendors
from pdsno_cli.discovery.identify.facts import CLASSES
from pdsno_cli.discovery.identify.families import FAMILIES
from pdsno_cli.discovery.identify.rules import RULES

TEXT = (Path(vendors.__file__).parent / "vendors.txt").read_text()


def test_each_number_stands_once_in_order_with_a_known_type():
    numbers = [int(line.split("|")[0]) for line in TEXT.splitlines() if not line.startswith("#")]
    assert numbers == sorted(set(numbers))
    assert len(numbers) > 400
    for item in vendors.table().values():
        assert item.name == item.name.strip() != ""
        assert item.kind is None or item.kind in CLASSES


@pytest.mark.parametrize(
    ("number", "name"),
    [(9, "Cisco"), (2636, "Juniper"), (30065, "Arista"), (14988, "MikroTik"), (318, "APC"), (12356, "Fortinet"),
     (25461, "Palo Alto Networks"), (2011, "Huawei"), (41112, "Ubiquiti"), (6574, "Synology"), (674, "Dell")],
)  # fmt: skip
def test_vendor_of_an_enterprise_number(number, name):
    assert vendors.vendor(number).name == name


@pytest.mark.parametrize("number", sorted(vendors.AGENT_SOFTWARE))
def test_agent_software_is_no_vendor(number):
    assert vendors.vendor(number) is None


def test_system_list_answers_for_numbers_that_the_table_lacks(tmp_path, monkeypatch):
    listed = tmp_path / "enterprise-numbers.txt"
    listed.write_text(
        "PRIVATE ENTERPRISE NUMBERS\n\nDecimal\n| Organization\n"
        "9\n  Somebody else\n    A\n      a&b\n"
        "59998\n  Example Widgets, Inc. (formerly 'Widgets')\n    B\n      b&c\n"
        "59999\n  Reserved\n    C\n      c&d\n"
    )
    monkeypatch.setattr(vendors, "SYSTEM_LISTS", (tmp_path / "missing", listed))
    vendors.vendor.cache_clear()
    try:
        assert vendors.vendor(59998) == vendors.Vendor("Example Widgets")
        assert vendors.vendor(59999) is None
        assert vendors.vendor(9).name == "Cisco"
    finally:
        vendors.vendor.cache_clear()


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("Cisco Systems, Inc.", "Cisco Systems"),
        ("Rittal GmbH & Co. KG", "Rittal &"),
        ("Unassigned", None),
    ],
)
def test_company_loses_its_legal_form(name, short):
    assert vendors.short_name(name) == short


def test_vendors_of_families_and_systems_are_in_the_table():
    known = {item.name for item in vendors.table().values()}
    assert set(FAMILIES) <= known
    assert all(kind in CLASSES for rows in FAMILIES.values() for kind, _ in rows)
    named_by_rules = {rule.vendor for rule in RULES if rule.vendor is not None}
    assert set(os_vendors().values()) <= known | named_by_rules


def test_a_system_has_one_vendor():
    text = (Path(vendors.__file__).parent / "os_vendors.txt").read_text()
    systems = [
        name
        for line in text.splitlines()
        if not line.startswith("#")
        for name in line.partition(":")[2].split()
    ]
    assert sorted(systems) == sorted(set(systems))
