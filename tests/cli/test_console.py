from __future__ import annotations

import io
import json
import os

import pytest

from pdsno_cli.cli import console
from pdsno_cli.cli.console import Unbroken
from pdsno_cli.model.errors import OperationError


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("stream", "variables", "terminal", "colour"),
    [
        (Terminal(), {}, True, True),
        (Terminal(), {"NO_COLOR": "1"}, True, False),
        (Terminal(), {"TERM": "dumb"}, False, False),
        (io.StringIO(), {}, False, False),
        (None, {}, False, False),
    ],
)
def test_colour_is_for_terminals_that_show_it(monkeypatch, stream, variables, terminal, colour):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert console.terminal(stream) is terminal
    assert console.colour(stream) is colour


def test_data_ends_with_one_newline(capsys):
    assert console.data("x")
    assert console.data("y\n")
    assert capsys.readouterr().out == "x\ny\n"


def test_data_returns_false_once_its_reader_is_gone(monkeypatch):
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as stream:
        monkeypatch.setattr("sys.stdout", stream)
        assert not console.data("x")
        assert console.data("goes to /dev/null")


def test_data_to_a_full_disk_is_an_error(monkeypatch):
    with open("/dev/full", "w") as full:  # noqa: PTH123 - a device
        monkeypatch.setattr("sys.stdout", full)
        with pytest.raises(OperationError, match="cannot write the output: No space left"):
            console.data("x")


def test_unbroken_discards_what_cannot_be_written(tmp_path):
    path = tmp_path / "closed"
    stream = path.open("w")
    unbroken = Unbroken(stream)
    assert unbroken.write("kept") == 4
    stream.close()
    assert unbroken.write("lost") == 4
    assert path.read_text() == "kept"


def test_message_and_fail_write_no_control_characters(capsys):
    console.message("a\x1b[31mb\nc")
    console.fail("a\x1b[31mb")
    assert capsys.readouterr().err == "a\\x1b[31mb\nc\nerror: a\\x1b[31mb\n"


def test_document_begins_with_its_version_and_topology(capsys):
    console.document(1, "t", version=7, controllers=[])
    text = capsys.readouterr().out
    assert list(json.loads(text)) == ["format_version", "topology", "version", "controllers"]
    assert text.startswith('{\n  "format_version": 1,\n')
