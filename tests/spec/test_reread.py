"""A reference takes the type that the schema wants, with quotes or without."""

from __future__ import annotations

import pytest

from pdsno_cli.lint.engine import check

REST = "controllers: {g: {role: global}}\n"


def broker(text):
    return check("t.yaml", raw=f"name: n\nbroker: {{host: h, {text}}}\n{REST}".encode())


@pytest.mark.parametrize("port", ['"${NOT_SET:-1884}"', "'${NOT_SET:-1884}'"])
def test_quoted_reference_in_flow_style_is_a_number(port):
    checked = broker(f"port: {port}")
    assert checked.topology.broker.addresses[0].port == 1884


def test_quoted_reference_is_a_boolean():
    raw = f'name: n\ntopics: {{events: {{retain: "${{NOT_SET:-true}}"}}}}\n{REST}'.encode()
    assert "PDS103" not in [item.code for item in check("t.yaml", raw=raw).diagnostics]


def test_plain_reference_to_digits_is_text_where_text_is_wanted():
    raw = f"name: ${{NOT_SET:-2026}}\ndescription: ${{NOT_SET:-007}}\n{REST}".encode()
    topology = check("t.yaml", raw=raw).topology
    assert (topology.name, topology.description) == ("2026", "007")


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ('"${NOT_SET:-many}"', "PDS103"),
        ('"${NOT_SET:-99999}"', "PDS106"),
        ('"1884"', "PDS103"),
        ('"18${NOT_SET:-84}"', "PDS103"),
    ],
)
def test_value_that_is_no_number_either_way_is_a_finding(value, code):
    assert [item.code for item in broker(f"port: {value}").diagnostics] == [code]
