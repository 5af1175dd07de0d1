"""Help at 80 columns: nothing is cut, no line is too long."""

from __future__ import annotations

import os
import re

import pytest
import typer.main

from pdsno_cli.cli.app import build
from tests.commands import pdsno


def help_of(*words):
    done = pdsno(*words, "--help", env={**os.environ, "COLUMNS": "80", "NO_COLOR": "1"})
    assert done.returncode == 0, done.stderr
    return done.stdout


def every(command, *words):
    """Return every command and group below one, and this, as words."""
    below = getattr(command, "commands", {})
    return [words, *(found for name in below for found in every(below[name], *words, name))]


EVERY = every(typer.main.get_command(build()))


def test_help_names_every_command():
    for words in EVERY:
        named = re.findall(r"^  (\w+)", help_of(*words).partition("Commands:")[2], re.MULTILINE)
        assert named == [one[-1] for one in EVERY if one[:-1] == words != one]


@pytest.mark.parametrize("words", EVERY, ids=lambda words: " ".join(words) or "pdsno")
def test_help_is_whole_at_80_columns(words):
    lines = help_of(*words).splitlines()
    assert not any("…" in line for line in lines)
    # A summary that is cut ends with three dots; so does an argument that may be repeated.
    cut = [line for line in lines if re.search(r"\w\.\.\.$", line)]
    assert [line for line in cut if not line.startswith("Usage:")] == []
    assert [line for line in lines if len(line) > 80] == []
