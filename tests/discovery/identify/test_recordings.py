"""The project's own recordings: each device is what expected.json says, fact by fact."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

import pdsno_cli.lab
from pdsno_cli.discovery.identify.answers import Answers
from pdsno_cli.discovery.identify.evaluate import detail, invented, judge
from pdsno_cli.discovery.identify.facts import CLASSES, FIELDS
from pdsno_cli.discovery.identify.identity import identify
from pdsno_cli.discovery.identify.recording import read_recording

OWN = Path(pdsno_cli.lab.__file__).parent / "recordings"
EXPECTED = json.loads((OWN / "expected.json").read_text())
# A folder of recordings that are not the project's, with an expected.json.
OTHERS = os.environ.get("PDSNO_TEST_RECORDINGS")


def answers_of(path):
    return Answers(read_recording(path.read_bytes()))


def test_every_recording_is_expected_to_be_something():
    assert {path.stem for path in OWN.glob("*.snmprec")} == set(EXPECTED)
    assert len(EXPECTED) >= 12
    assert len({item["vendor"] for item in EXPECTED.values()}) >= 12


@pytest.mark.parametrize("name", EXPECTED)
def test_device_of_a_recording_is_what_is_expected(name):
    answers = answers_of(OWN / f"{name}.snmprec")
    found = identify(answers)
    assert {field: fact.value for field, fact in found.items()} == EXPECTED[name]
    assert set(found) <= set(FIELDS)
    assert found["type"].value in CLASSES
    assert all(fact.evidence for fact in found.values())
    assert invented(found, answers) == []


@pytest.mark.skipif(OTHERS is None, reason="PDSNO_TEST_RECORDINGS names no folder")
def test_bounds_hold_on_recordings_of_others():
    folder = Path(OTHERS)
    expected = json.loads((folder / "expected.json").read_text())
    vendors, types, details = [], [], []
    for name, wanted in expected.items():
        answers = answers_of(folder / f"{name}.snmprec")
        found = identify(answers)
        assert invented(found, answers) == [], name
        verdicts = judge(found, wanted, answers)
        vendors += [item.right for item in verdicts if item.field == "vendor"]
        types += [item.right for item in verdicts if item.field == "type"]
        details += [one for one in [detail(verdicts)] if one is not None]
    assert sum(vendors) >= 0.95 * len(vendors) > 40
    assert sum(types) >= 0.85 * len(types) > 40
    assert sum(details) >= 0.75 * len(details) > 40
