"""Every example in the documentation is a test; `PDSNO_UPDATE_GOLDEN=1` rewrites console output."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pdsno_cli.lint.engine import all_rules, check
from pdsno_cli.spec import codes

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "docs" / name
    for name in (
        "rules.md",
        "topology.md",
        "topics.md",
        "stores.md",
        "linting.md",
        "capacity.md",
        "identification.md",
    )
]
FENCE = re.compile(r"^```(?P<kind>[^\n]+)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
BASE = {
    "name": "name: example\n",
    "regions": "regions: {zone-A: {}}\n",
    "controllers": "controllers:\n"
    "  global_cntl_1: {role: global}\n"
    "  regional_cntl_1: {role: regional, region: zone-A}\n"
    "  local_cntl_1: {role: local, region: zone-A, discovery: {targets: 10.0.1.0/24}}\n",
}


def fences(page: Path) -> list[re.Match[str]]:
    return list(FENCE.finditer(page.read_text()))


def whole(fragment: str) -> str:
    """Return a fragment with the rest of a file that is right."""
    keys = set(re.findall(r"^([a-z-]+):", fragment, re.MULTILINE))
    if "name" in keys:
        return fragment
    return "".join(text for key, text in BASE.items() if key not in keys) + fragment


def rule_examples():
    text = PAGES[0].read_text()
    for section in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        code = section.split()[0]
        for match in FENCE.finditer(section):
            yield pytest.param(code, match["kind"], match["text"], id=f"{code}-{match['kind'][5:]}")


def examples():
    for page in PAGES[1:]:
        for number, match in enumerate(fences(page)):
            if match["kind"] == "yaml":
                yield pytest.param(match["text"], id=f"{page.stem}-{number}")


def consoles():
    for page in PAGES:
        for number, match in enumerate(fences(page)):
            if match["kind"] == "console":
                yield pytest.param(page, match["text"], id=f"{page.stem}-{number}")


@pytest.mark.parametrize(("code", "kind", "text"), list(rule_examples()))
def test_rules_example_is_judged_as_the_page_says(code, kind, text, tmp_path):
    path = tmp_path / "topology.yaml"
    path.write_text(whole(text))
    found = check(path)
    given = {item.code for item in found.diagnostics}
    if kind == "yaml good":
        assert found.diagnostics == ()
    else:
        assert given == {code}


@pytest.mark.parametrize("text", list(examples()))
def test_example_has_no_findings(text, tmp_path):
    path = tmp_path / "topology.yaml"
    path.write_text(text)
    assert check(path).diagnostics == ()


def run(command: str) -> str:
    folder, _, rest = command.rpartition("; ")
    words = rest.split()
    assert words[0] == "pdsno"
    done = subprocess.run(
        [Path(sys.executable).parent / "pdsno", *words[1:]],
        cwd=folder.removeprefix("cd ") or ROOT,
        env={name: value for name, value in os.environ.items() if name != "PDSNO_TOPOLOGY"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.stdout


@pytest.mark.parametrize(("page", "text"), list(consoles()))
def test_console_shows_what_the_command_prints(page, text):
    commands = re.findall(r"^\$ (.*)$", text, re.MULTILINE)
    printed = "".join(f"$ {command}\n{run(command)}" for command in commands)
    if os.environ.get("PDSNO_UPDATE_GOLDEN"):
        page.write_text(page.read_text().replace(f"```console\n{text}", f"```console\n{printed}"))
    else:
        assert text == printed


def test_rules_page_has_a_section_for_every_code_and_no_other():
    sections = re.findall(r"^## (PDS\d+) (\S+)$", PAGES[0].read_text(), re.MULTILINE)
    known = {**codes.NAMES, **{rule.code: rule.name for rule in all_rules()}}
    assert dict(sections) == known
    assert len(sections) == len(known)
    assert [code for code, _ in sections] == sorted(known)


def test_topology_page_mentions_every_key_of_the_schema():
    schema = json.loads((ROOT / "schemas" / "topology.schema.json").read_text())
    page = PAGES[1].read_text()

    def keys(node):
        if isinstance(node, dict):
            for name, value in node.items():
                if name == "properties":
                    yield from value
                yield from keys(value)
        elif isinstance(node, list):
            for item in node:
                yield from keys(item)

    missing = {key for key in keys(schema) if not re.search(rf"\b{re.escape(key)}\b", page)}
    assert not missing
