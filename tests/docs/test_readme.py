"""The README's session is run as it stands; numbers that differ from run to run are left out."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.picture import PICTURE, session_picture
from tests.docs.sessions import ROOT, SESSION, run

README = (ROOT / "README.md").read_text()
CONSOLES = SESSION.findall(README)
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
    assert shape(run(command, tmp_path)) == shape(printed)


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
