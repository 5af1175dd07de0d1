"""`pdsno identify` as a user runs it, on recordings in a folder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

import pdsno_cli.lab
from pdsno_cli.cli.app import build
from pdsno_cli.model.errors import UsageError

OWN = Path(pdsno_cli.lab.__file__).parent / "recordings"
RUN = CliRunner()


def run(*words):
    done = RUN.invoke(build(), ["identify", *map(str, words)], catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout


@pytest.fixture
def folder(tmp_path):
    """Return a folder of two devices, one of which is not as expected."""
    for name in ("ups-apc", "leaf-eos"):
        shutil.copy(OWN / f"{name}.snmprec", tmp_path)
    expected = {
        "ups-apc": {"vendor": "APC", "type": "power", "hardware": "Smart-UPS 1500", "serial": "AS0000ZZ0011"},
        "leaf-eos": {"os": "arista_eos", "type": "power", "version": "4.31.2F"},
    }  # fmt: skip
    (tmp_path / "expected.json").write_text(json.dumps(expected))
    return tmp_path


def test_devices_of_a_folder_fit_80_columns_with_names_uncut(tmp_path):
    for path in OWN.glob("*.snmprec"):
        shutil.copy(path, tmp_path)
    shown = run(tmp_path)
    assert shown.startswith("RECORDING ")
    assert all(len(line) <= 80 for line in shown.splitlines())
    assert all(path.stem in shown for path in tmp_path.iterdir())
    assert "SERIAL" in run("--wide", tmp_path)


def test_expected_json_adds_hits_and_misses(folder):
    lines = run(folder).splitlines()
    assert [line.split() for line in lines[:3]] == [
        ["FIELD", "HITS", "MISSES", "RIGHT"],
        ["vendor", "2", "0", "100.0", "%"],
        ["type", "1", "1", "50.0", "%"],
    ]
    assert "2 recordings, 2 of them in expected.json" in lines
    assert all(len(line) <= 80 for line in lines)


def test_misses_are_listed(folder):
    assert [line.split() for line in run("--misses", folder).splitlines()] == [
        ["RECORDING", "FIELD", "EXPECTED", "FOUND"],
        ["leaf-eos", "type", "power", "switch"],
    ]


def test_json_has_every_fact_its_evidence_and_the_scores(folder):
    shown = json.loads(run("--json", folder))
    assert shown["format_version"] == 1
    leaf = shown["devices"][0]
    assert (leaf["recording"], leaf["vendor"], leaf["type"], leaf["class"]) == (
        "leaf-eos",
        "Arista",
        "switch",
        "network",
    )
    assert leaf["evidence"]["vendor"] == "enterprise number 30065"
    assert shown["scores"]["vendor"] == {"hits": 2, "misses": 0}
    assert shown["scores"]["any detail"] == {"hits": 2, "misses": 0}
    assert shown["misses"] == [
        {"recording": "leaf-eos", "field": "type", "expected": "power", "found": "switch"}
    ]
    assert shown["invented"] == []


def test_serial_number_of_several_devices_is_named(folder):
    assert json.loads(run("--json", folder))["repeated_serials"] == []
    shutil.copy(folder / "leaf-eos.snmprec", folder / "leaf-copy.snmprec")
    assert json.loads(run("--json", folder))["repeated_serials"] == ["JPE0000ZZ07"]


def test_evidence_stands_beside_each_fact_of_one_file():
    shown = run("--evidence", OWN / "ups-apc.snmprec")
    assert "  vendor: APC  (enterprise number 318)\n" in shown
    assert "  serial: AS0000ZZ0011  (1.3.6.1.4.1.318.1.1.1.1.2.3.0)\n" in shown


@pytest.mark.parametrize(
    ("make", "words", "reason"),
    [
        (lambda path: path / "none", (), "no folder"),
        (lambda path: path, (), "no recording"),
        (lambda path: path, ("--misses",), "--misses needs"),
    ],
)
def test_mistake_is_one_line(tmp_path, make, words, reason):
    with pytest.raises(UsageError, match=reason) as failed:
        run(*words, make(tmp_path))
    assert failed.value.exit_code == 2
    assert "\n" not in str(failed.value)


@pytest.mark.parametrize("text", ["{", "[]", '{"a": 1}', "[" * 100_000, b"\xff"])
def test_expected_json_that_is_none_is_refused(folder, text):
    path = folder / "expected.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(UsageError, match=r"expected\.json is not"):
        run(folder)


def test_a_file_that_is_no_recording_is_a_device_without_facts(tmp_path):
    (tmp_path / "noise.snmprec").write_bytes(bytes(range(256)) * 20)
    assert run(tmp_path).splitlines()[1] == "noise"


def test_details_are_counted_and_in_json_whole(folder):
    with_neighbour = {
        "1.0.8802.1.1.2.1.4.1.1.5.0.1.1|4x|00aabbccdd01",
        "1.0.8802.1.1.2.1.4.1.1.4.0.1.1|2|4",
        "1.0.8802.1.1.2.1.4.1.1.9.0.1.1|4|core-1",
        "1.3.6.1.2.1.4.20.1.2.192.0.2.1|2|1",
        "1.3.6.1.2.1.4.20.1.3.192.0.2.1|64x|ffffff00",
    }
    path = folder / "leaf-eos.snmprec"
    path.write_text(path.read_text().rstrip("\n") + "\n" + "\n".join(with_neighbour) + "\n")
    lines = run("--details", folder).splitlines()
    assert lines[0].split() == [
        "RECORDING", "INTERFACES", "UP", "ADDRESSES", "NEIGHBOURS", "VLANS", "STATIONS",
    ]  # fmt: skip
    assert [line.split() for line in lines[1:]] == [
        ["leaf-eos", "5", "4", "1", "1", "0", "0"],
        ["ups-apc", "2", "2", "0", "0", "0", "0"],
    ]
    document = json.loads(run("--details", "--json", folder))
    (leaf, ups) = document["devices"]
    assert [item["name"] for item in leaf["details"]["neighbours"]] == ["core-1"]
    assert leaf["details"]["interfaces"][0]["addresses"] == ["192.0.2.1/24"]
    assert "neighbours" not in ups["details"]
    assert "details" not in json.loads(run("--json", folder))["devices"][0]


def test_a_file_that_is_no_recording_is_one_line(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_bytes(b"\xff\xfe not a recording\n")
    with pytest.raises(UsageError) as caught:
        RUN.invoke(build(), ["identify", str(path)], catch_exceptions=False)
    assert str(caught.value) == (
        f"{path} has no line of the form OID|type|value: name a recording in snmpsim's format"
    )


def test_an_empty_recording_in_a_folder_is_a_warning(folder):
    (folder / "empty.snmprec").write_bytes(b"")
    done = RUN.invoke(build(), ["identify", str(folder)], catch_exceptions=False)
    assert done.exit_code == 0
    assert done.stderr == (
        f"warning: {folder / 'empty.snmprec'} has no line of the form OID|type|value\n"
    )
