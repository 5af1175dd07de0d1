"""The README's session is run as it stands; numbers that differ from run to run are left out."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.picture import PICTURE, session_picture

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
CONSOLES = re.findall(r"^```console\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
# Ports, seconds with their column's padding, and what a busy machine has sent again.
VARIABLE = re.compile(
    r"(?<=127\.0\.0\.1:)\d+|(?<=v5: )\d+|\d+\.\d+ s +|\d+\.\d+ s\b|\d+(?= duplicates dropped)"
)


def steps():
    for text in CONSOLES:
        for step in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
            command, _, printed = step.partition("\n")
            yield pytest.param(command, printed, id=command)


def shape(text: str) -> list[str]:
    """Return the lines without what varies, in an order that does not."""
    return sorted(VARIABLE.sub("#", line) for line in text.splitlines())


@pytest.mark.parametrize(("command", "printed"), list(steps()))
@pytest.mark.usefixtures("zone_a")
def test_session_prints_what_the_readme_shows(command, printed, tmp_path):
    words = command.split()
    assert words[0] == "pdsno"
    done = subprocess.run(
        [Path(sys.executable).with_name("pdsno"), *words[1:]],
        cwd=ROOT,
        env={**os.environ, "NO_COLOR": "1", "XDG_STATE_HOME": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    assert shape(done.stdout) == shape(printed)


def test_readme_names_every_command():
    done = subprocess.run(
        [Path(sys.executable).with_name("pdsno"), "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    listed = done.stdout.split("Commands:")[1]
    commands = re.findall(r"^  (\w+) ", listed, re.MULTILINE)
    assert commands
    for command in commands:
        assert f"`pdsno {command}" in README, command


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=lambda page: page.name)
def test_readme_links_every_page(page):
    assert f"docs/{page.name}" in README


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(([^)#]+)\)", README))))
def test_readme_links_lead_somewhere(target):
    assert (ROOT / target).exists()


def test_picture_is_that_of_the_sessions():
    drawn = session_picture(README)
    assert (ROOT / PICTURE).read_text() == drawn, "type: make derived"
