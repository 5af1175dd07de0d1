"""Values that identify no device."""

from __future__ import annotations

import pytest

from pdsno_cli.discovery.identify.placeholders import is_placeholder, is_serial, repeated


@pytest.mark.parametrize(
    "text",
    ["", " ", "0", "0000000", "00-00-00", "N/A", "n/a ", "To be filled by O.E.M.", "1234567890", "Default string",
     "xxxxxxxx", "#########", "........", "Not Specified", '"none"', "System Serial Number", "<private>"],
)  # fmt: skip
def test_placeholder_is_no_serial_number(text):
    assert is_placeholder(text)
    assert not is_serial(text)


@pytest.mark.parametrize(
    "text", ["FOC9000ZZ01", "4005998220100101", "c0ed2a63-117c", "5CG00ZZ0/01", "A01"]
)
def test_serial_number_is_one(text):
    assert is_serial(text)


@pytest.mark.parametrize(
    "text", ["ABCDEF", "ab", "x" * 65 + "1", "Serial: 5, see the label below!"]
)
def test_text_that_cannot_be_a_serial_number_is_none(text):
    assert not is_serial(text)


def test_serial_numbers_of_several_devices_are_found():
    assert repeated(["A1", "B2", "A1", "C3"]) == {"A1"}


def test_repeated_digit_can_be_a_version_but_no_serial_number():
    assert not is_serial("1111-1111")
    assert not is_placeholder("3.3.3.3")
