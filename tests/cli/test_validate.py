"""`pdsno validate` as a user runs it: exit codes, formats, what goes where."""

from __future__ import annotations

import json
import os
import shlex
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests import commands

ROOT = Path(__file__).parents[2]
PDSNO = Path(sys.executable).parent / "pdsno"
GOOD = "name: good\ncontrollers: {g: {role: global}}\n"
WARNS = "name: warns\nregions: {empty: {}}\ncontrollers: {g: {role: global}}\n"
BAD = "name: bad\ncontrollers: {g: {role: globl}}\n"


def pdsno(*words, cwd=ROOT, stdin=None, env=None):
    env = {**os.environ, **(env or {})}
    return commands.pdsno(*words, cwd=cwd, stdin=stdin, env=env, text=False)


@pytest.fixture
def files(tmp_path):
    for name, text in (("good", GOOD), ("warns", WARNS), ("bad", BAD)):
        (tmp_path / f"{name}.yaml").write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["good.yaml"], 0),
        (["warns.yaml"], 0),
        (["--strict", "warns.yaml"], 1),
        (["--strict", "good.yaml"], 0),
        (["bad.yaml"], 1),
        (["."], 1),
        (["none.yaml"], 2),
        (["bad.yaml", "none.yaml"], 2),
        ([], 2),
        (["--format", "ful", "good.yaml"], 2),
        (["--no-such-option", "good.yaml"], 2),
    ],
)
def test_exit_code_by_findings_and_usage(files, words, code):
    done = pdsno("validate", *words, cwd=files)
    assert done.returncode == code
    assert b"Traceback" not in done.stderr


def test_full_shows_excerpt_caret_and_hint(files):
    done = pdsno("validate", "bad.yaml", cwd=files)
    assert done.stdout.decode() == (
        "bad.yaml:2:25: error[PDS104] controllers.g.role cannot be 'globl'\n"
        " 2 | controllers: {g: {role: globl}}\n"
        "   |                         ^^^^^\n"
        "   = did you mean 'global'?\n"
    )
    assert done.stderr.decode() == "1 error in 1 file\n"


def test_concise_reports_all_files_sorted_and_the_missing_one(files):
    done = pdsno(
        "validate", "--format", "concise", "warns.yaml", "gone.yaml", "bad.yaml", cwd=files
    )
    assert done.returncode == 2
    assert [line.split(":")[0] for line in done.stdout.decode().splitlines()] == [
        "bad.yaml",
        "warns.yaml",
    ]
    assert done.stderr.decode() == (
        "error: cannot read gone.yaml: No such file or directory\n1 error, 1 warning in 2 files\n"
    )


@pytest.mark.parametrize("words", [["--format", "json"], ["--json"]])
def test_json_carries_version_counts_and_findings(files, words):
    done = pdsno("validate", *words, ".", "gone.yaml", cwd=files)
    document = json.loads(done.stdout)
    assert document["format_version"] == 1
    assert (document["files"], document["errors"], document["warnings"]) == (3, 1, 1)
    assert document["findings"][0]["code"] == "PDS104"
    assert document["findings"][0]["line"] == 2
    assert document["unreadable"][0]["path"] == "gone.yaml"


def test_directory_walks_and_leaves_hidden_files_out(files):
    (files / "sub").mkdir()
    (files / "sub" / "good.yml").write_text(GOOD)
    (files / ".hidden.yaml").write_text("[")
    (files / ".git").mkdir()
    (files / ".git" / "bad.yaml").write_text("[")
    (files / "notes.txt").write_text("[")
    done = pdsno("validate", "--strict", ".", "good.yaml", cwd=files)
    assert done.stderr.decode() == "1 error, 1 warning in 4 files\n"


def test_directory_without_topologies_is_not_passed_over(tmp_path):
    done = pdsno("validate", tmp_path)
    assert done.returncode == 2
    why = "it holds no .yaml or .yml file"
    assert done.stderr.decode() == f"error: cannot read {tmp_path}: {why}\n"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("topics >&-", 1, "error: cannot write the output: stdout is closed\n"),
        ("validate bad.yaml >&-", 1, "error: cannot write the output: stdout is closed\n"),
        ("topics >/dev/full", 1, "error: cannot write the output: No space left on device\n"),
        ("--help >/dev/full", 1, "error: cannot write the output: No space left on device\n"),
        ("validate good.yaml 2>&-", 0, ""),
        ("validate none.yaml 2>&-", 2, ""),
        ("validate - <&-", 2, "error: cannot read -: standard input is closed\n"),
    ],
)
def test_stream_that_is_closed_or_full_is_one_line_at_most(files, words, code, said):
    # Unbuffered, nothing is held back by which a failed write of the help could be told.
    env = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    done = subprocess.run(
        ["sh", "-c", f'"$0" {words}', PDSNO],
        cwd=files,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (code, "", said)


def test_reader_that_has_seen_enough_does_not_change_the_exit_code(files):
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [PDSNO, "validate", "bad.yaml"], cwd=files, stdout=writing, stderr=subprocess.PIPE,
        check=False,
    )  # fmt: skip
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, b"1 error in 1 file\n")


def test_dash_is_standard_input():
    assert pdsno("validate", "-", stdin=GOOD.encode()).returncode == 0
    done = pdsno("validate", "-", stdin=BAD.encode())
    assert done.returncode == 1
    assert done.stdout.startswith(b"-:2:25: error[PDS104]")
    assert b"^^^^^" in done.stdout


def test_wrong_format_gets_a_suggestion(files):
    done = pdsno("validate", "--format", "concis", "good.yaml", cwd=files)
    assert done.stderr.decode() == "error: unknown format 'concis': did you mean 'concise'?\n"


def test_external_broker_is_valid_where_its_variables_are_not_set():
    env = {name: value for name, value in os.environ.items() if not name.startswith("MQTT_")}
    done = subprocess.run(
        [PDSNO, "validate", "--strict", "topologies"],
        cwd=ROOT,
        env=env,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"5 files ok\n")


def test_control_characters_do_not_reach_the_terminal(files):
    (files / "evil.yaml").write_text(
        'name: x\n"\\e[2J\\nerror": 1\ncontrollers: {g: {role: global}}\n'
    )
    done = pdsno("validate", "--format", "concise", "evil.yaml", cwd=files)
    assert b"\x1b" not in done.stdout
    assert len(done.stdout.splitlines()) == 1


@pytest.mark.parametrize(
    "words", [["--help"], ["validate", "zone-a.yaml"], ["topics", "zone-a.yaml"]]
)
def test_command_imports_no_library_of_an_adapter(words):
    script = (
        "import sys\nfrom pdsno_cli.__main__ import main\n"
        "try:\n    main()\nexcept SystemExit as exc:\n    assert not exc.code, exc.code\n"
        "heavy = {'scapy', 'pysnmp', 'paho', 'sqlalchemy', 'fastapi', 'rich', 'iotcore'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *words],
        cwd=ROOT / "topologies",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def device(path):
    return Path("/dev/null")


def fifo(path):
    os.mkfifo(path)
    return path


def unix_socket(path):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
    return path


@pytest.mark.parametrize("make", [device, fifo, unix_socket])
def test_what_is_no_file_is_one_line_and_never_waited_for(tmp_path, make):
    path = make(tmp_path / "topology.yaml")
    done = pdsno("validate", path)
    assert done.returncode == 2
    assert done.stderr.decode().startswith(f"error: cannot read {path}: it is a ")
    assert done.stderr.count(b"\n") == 1


def test_file_of_a_process_substitution_is_read(files):
    good = shlex.quote(str(files / "good.yaml"))
    done = subprocess.run(
        ["bash", "-c", f"{PDSNO} validate <(cat {good})"],
        capture_output=True, check=False, timeout=30,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_caret_counts_the_cells_of_wide_and_combining_characters(tmp_path):
    (tmp_path / "wide.yaml").write_text(
        "name: wide\ncontrollers: {g: {x-site: 東京e\u0301, role: globl}}\n", "utf-8"
    )
    shown = pdsno("validate", "wide.yaml", cwd=tmp_path).stdout.decode()
    source, caret = shown.splitlines()[1:3]
    cells = source[: source.index("globl")].replace("東京", "....").replace("\u0301", "")
    assert caret.index("^") == len(cells)
    assert caret.count("^") == len("globl")
