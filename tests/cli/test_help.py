"""Help at 80 columns: nothing is cut, no line is too long."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PDSNO = str(Path(sys.executable).with_name("pdsno"))


def help_of(*words):
    done = subprocess.run(
        [PDSNO, *words, "--help"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "COLUMNS": "80", "NO_COLOR": "1"},
    )
    return done.stdout


def commands(text):
    return re.findall(r"^  (\w+)", text.partition("Commands:")[2], re.MULTILINE)


def every():
    """Return every command and group, as words."""
    found = [()]
    for name in commands(help_of()):
        found.append((name,))
        found += [(name, other) for other in commands(help_of(name))]
    return found


@pytest.mark.parametrize("words", every(), ids=lambda words: " ".join(words) or "pdsno")
def test_help_is_whole_at_80_columns(words):
    lines = help_of(*words).splitlines()
    assert not any("…" in line for line in lines)
    # A summary that is cut ends with three dots; so does an argument that may be repeated.
    cut = [line for line in lines if re.search(r"\w\.\.\.$", line)]
    assert [line for line in cut if not line.startswith("Usage:")] == []
    assert [line for line in lines if len(line) > 80] == []
