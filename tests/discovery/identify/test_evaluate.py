"""How what was found is compared with what is expected."""

from __future__ import annotations

import pytest

from pdsno_cli.discovery.identify.answers import Answers, Object
from pdsno_cli.discovery.identify.evaluate import detail, invented, judge
from pdsno_cli.discovery.identify.facts import Fact

ANSWERS = Answers({(1, 3, 1): Object(b"Example ES-24 Rev. A2, version 1.4.2b, serial ZZ0001")})


def right(field, found, expected, key=None):
    """Return the verdict on one field; None if it was not judged."""
    verdicts = judge({field: Fact(found, "x")}, {key or field: expected}, ANSWERS)
    return next((item.right for item in verdicts if item.field == field), None)


@pytest.mark.parametrize(
    ("field", "found", "expected", "verdict"),
    [
        ("vendor", "HPE Aruba", "Aruba", True),
        ("vendor", "HPE", "Hewlett-Packard", True),
        ("vendor", "Vertiv", "Liebert", True),
        ("vendor", "Cambium", "Motorola", True),
        ("vendor", "Cisco", "Juniper Networks", False),
        ("type", "switch", "network", True),
        ("type", "firewall", "network", True),
        ("type", "switch", "switch", True),
        ("type", "access point", "wireless", True),
        ("type", "load balancer", "loadbalancer", True),
        ("type", "network appliance", "network", True),
        ("type", "network appliance", "appliance", True),
        ("type", "network appliance", "server", False),
        ("type", "environment", "sensor", True),
        ("type", "server", "OOB Management", True),
        ("type", "printer", "network", False),
        ("type", "server", "power", False),
        ("version", "1.4.2b", "Version 1.4.2b", True),
        ("version", "4.2", "1.4.2b", False),
        ("version", "1.4.2b", "9.9", None),
        ("model", "ES-24", "ES-24 Rev. A2", True),
        ("model", "ES", "ES-24", True),
        ("serial", "ZZ0001", "zz0001", True),
        ("serial", "ZZ", "ZZ0001", False),
        ("serial", "ZZ0001", "N/A", None),
    ],
)
def test_verdict(field, found, expected, verdict):
    assert right(field, found, expected) is verdict


def test_hardware_is_another_name_of_the_model_and_the_system_says_the_vendor():
    assert right("model", "ES-24", "ES-24", key="hardware") is True
    assert right("vendor", "MikroTik", "routeros", key="os") is True
    assert right("vendor", "MikroTik", "nobody-knows", key="os") is None


def test_any_detail_is_right_if_one_is():
    found = {"version": Fact("1.4.2b", "x"), "model": Fact("other", "x")}
    assert detail(judge(found, {"version": "1.4.2b", "model": "ES-24"}, ANSWERS)) is True
    assert detail(judge({}, {"model": "ES-24"}, ANSWERS)) is False
    assert detail(judge(found, {"type": "switch"}, ANSWERS)) is None


def test_value_that_stands_nowhere_is_invented():
    assert invented({"version": Fact("1.4.2b", "x"), "model": Fact("XS-9", "x")}, ANSWERS) == [
        "model"
    ]


@pytest.mark.parametrize("value", [7, [], {}, None, "", " "])
def test_expectation_that_is_no_text_is_not_judged(value):
    fields = ("vendor", "type", "version", "model", "serial", "os", "hardware")
    assert judge({}, dict.fromkeys(fields, value), ANSWERS) == []
