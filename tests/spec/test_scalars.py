"""Plain scalars of the YAML 1.2 core schema."""

from __future__ import annotations

import pytest

from pdsno_cli.spec.scalars import resolve


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("TRUE", True),
        ("false", False),
        ("0", 0),
        ("-17", -17),
        ("0x1F", 31),
        ("0o17", 15),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        (".5", 0.5),
    ],
)
def test_scalar_of_the_core_schema_has_its_type(text, value):
    found = resolve(text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "text", ["on", "yes", "No", "1:30", "017x", ".inf", ".nan", "1_000", "1e999", "-", "+"]
)
def test_everything_else_stays_text(text):
    assert resolve(text) == text
