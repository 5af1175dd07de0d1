"""The details of whole recordings: those of the project, and any folder that a variable names."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

import pdsno_cli.lab
from pdsno_cli.discovery.identify.answers import Object
from pdsno_cli.discovery.identify.recording import read_recording
from pdsno_cli.discovery.snmp.details.detail import read_detail
from pdsno_cli.discovery.snmp.details.recorded import replay
from pdsno_cli.model.details import Detail
from pdsno_cli.spec.topology import Details
from tests.discovery.snmp.details.switch import DETAIL, OBJECTS, STATIONS

OWN = sorted((Path(pdsno_cli.lab.__file__).parent / "recordings").glob("*.snmprec"))
OTHERS = sorted(Path(os.environ.get("PDSNO_TEST_RECORDINGS", "/nonexistent")).glob("*.snmprec"))


def detail_of(objects):
    return replay(read_detail(Details(forwarding=True), (1, 3, 6, 1, 4, 1, 9)), objects).detail


@pytest.mark.parametrize("path", [*OWN, *OTHERS], ids=lambda path: path.stem)
def test_recording_has_valid_details(path):
    detail = detail_of(read_recording(path.read_bytes()))
    assert msgspec.json.decode(msgspec.json.encode(detail), type=Detail) == detail


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.stem)
def test_recording_of_ours_has_interfaces(path):
    assert detail_of(read_recording(path.read_bytes())).interfaces


def test_replay_answers_as_an_agent_does():
    plain = {
        oid: Object(
            item.encode() if isinstance(item, str)
            else item if isinstance(item, (bytes, tuple))
            else item.packed if hasattr(item, "packed")
            else int(item)
        )
        for oid, item in OBJECTS.items()
    }  # fmt: skip
    assert detail_of(plain) == msgspec.structs.replace(DETAIL, stations=STATIONS)
