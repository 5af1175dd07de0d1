"""docs/troubleshooting.md: its commands, options, events and checks exist."""

from __future__ import annotations

import re
import shlex

import pytest
import typer.main

from pdsno_cli.cli.app import build
from pdsno_cli.model.events import EVENT_KINDS

from .test_docs import ROOT

PAGE = (ROOT / "docs" / "troubleshooting.md").read_text()
COMMANDS = sorted(set(re.findall(r"`(pdsno [^`]+)`", PAGE)))
APP = typer.main.get_command(build())


@pytest.mark.parametrize("text", COMMANDS)
def test_command_with_its_options_exists(text):
    _, *words = shlex.split(text)
    command = APP
    while hasattr(command, "commands"):
        assert words, f"{text} is a group of commands"
        assert words[0] in command.commands, text
        command = command.commands[words.pop(0)]
    parameters = {name: item for item in command.params for name in item.opts}
    assert {word for word in words if word.startswith("-")} <= parameters.keys()
    context = command.make_context(text, [*words], resilient_parsing=True)
    assert not context.args, text  # it takes as many words as there are
    if "--kind" in words:
        assert words[words.index("--kind") + 1] in EVENT_KINDS


def test_every_check_of_the_checklist_is_named():
    from tests.e2e.test_check import ALL

    section = PAGE.partition("## Verification checklist")[2]
    rows = re.findall(r"^\| [^|]+ \| ([a-z ]+)[,|]", section, re.MULTILINE)
    assert [row.strip() for row in rows if row.strip() != "check"] == ALL


def test_every_check_of_the_doctor_that_is_named_exists():
    source = "".join(
        path.read_text() for path in (ROOT / "pdsno_cli" / "client" / "doctor").glob("*.py")
    )
    known = set(re.findall(r'check="([a-z ]+)"', source)) | {"arp privileges", "icmp privileges"}
    section = PAGE.partition("## Troubleshooting")[2].partition("## Verification")[0]
    rows = [row for row in section.splitlines() if "`pdsno doctor`" in row]
    assert len(rows) > 10
    for row in rows:
        said = row.rsplit(" | ", 1)[1]
        assert any(f"`{name}`" in said for name in known), row
