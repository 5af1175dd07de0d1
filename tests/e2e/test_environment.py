"""Folders, locales and users that pdsno may be started with."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.conftest import ONE_OF_EACH, require, require_root

from .conftest import PDSNO, WAIT

# Modules that a user's script may well be named after, and that our interpreters import.
NAMES = ("secrets", "queue", "token", "http", "logging", "select", "random", "json", "pdsno_cli")
COMMANDS = {"pdsno": [PDSNO], "python -m pdsno_cli": [sys.executable, "-m", "pdsno_cli"]}


def of_the_users(folder: Path) -> Path:
    """Put modules beside a topology that write a file when imported; return that file."""
    marks = folder / "imported"
    text = f"open({str(marks)!r}, 'a').write(__name__ + '\\n'); raise SystemExit(9)\n"
    for name in NAMES:
        if name == "pdsno_cli":
            (folder / name).mkdir()
            (folder / name / "broker.py").write_text(text)
            (folder / name / "supervisor.py").write_text(text)
        else:
            (folder / f"{name}.py").write_text(text)
    return marks


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("arguments", [("--cycles", "1"), ("-d",)], ids=" ".join)
def test_nothing_is_imported_from_the_users_folder(site, command, arguments):
    site.write(fallbacks="[mqtt, http]")
    marks = of_the_users(site.folder)
    words = [*COMMANDS[command], "up", "site.yaml", "--state-dir", "state", *arguments]
    done = subprocess.run(
        words, cwd=site.folder, capture_output=True, text=True, timeout=60, check=False
    )
    if "-d" in arguments:
        site.ask("down", str(site.file))
    assert done.returncode == 0, done.stderr
    assert not marks.exists(), marks.read_text()


@pytest.mark.parametrize(
    "extra",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "latin-1:strict"},
        {"LC_ALL": "en_US.ISO-8859-1", "PYTHONUTF8": "0"},
        {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
        {"TERM": "dumb"},
    ],
    ids=str,
)
@pytest.mark.parametrize("form", ["tree", "table", "json", "markdown", "mermaid"])
def test_what_the_encoding_lacks_is_printed_as_well_as_can_be(tmp_path, extra, form):
    file = tmp_path / "one.yaml"
    file.write_text("description: Zürich → Genève 東京\n" + ONE_OF_EACH, encoding="utf-8")
    done = subprocess.run(
        [PDSNO, "topics", str(file), "--format", form],
        env={**os.environ, **extra},
        capture_output=True,
        timeout=WAIT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == b""
    assert b"pdsno" in done.stdout
    if form == "tree" and extra.get("PYTHONIOENCODING") == "ascii":
        assert b"|-- " in done.stdout


def test_findings_with_signs_that_the_encoding_lacks_are_printed(tmp_path):
    file = tmp_path / "one.yaml"
    file.write_text("näme: 東京\n" + ONE_OF_EACH, encoding="utf-8")
    done = subprocess.run(
        [PDSNO, "validate", str(file)],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        timeout=WAIT,
        check=False,
    )
    assert done.returncode == 1
    assert "n?me" in done.stdout
    assert "Traceback" not in done.stderr


@pytest.fixture
def open_folder():
    """Return a folder that every user may read, unlike those of pytest."""
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_without_a_home_the_error_names_state_dir(open_folder):
    require_root()  # to become somebody who has no entry in passwd
    file = open_folder / "one.yaml"
    file.write_text(ONE_OF_EACH)
    may_read = "dac_read_search"  # this interpreter may be in a folder of root's
    somebody = [
        *(require("setpriv"), "--reuid=54321", "--regid=54321", "--clear-groups"),
        *(f"--inh-caps=+{may_read}", f"--ambient-caps=+{may_read}", PDSNO),
    ]
    for command in ("up", "status", "devices", "down"):
        done = subprocess.run(
            [*somebody, command, str(file)],
            env={"PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            timeout=WAIT,
            check=False,
        )
        assert done.returncode == 2, done.stderr
        assert done.stderr.startswith("error: user 54321 has no home directory")
        assert "--state-dir" in done.stderr
        assert done.stderr.count("\n") == 1
