"""Every path, command and link that the pages for contributors name exists."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import typer.main
import yaml

from pdsno_cli.cli.app import build

ROOT = Path(__file__).parents[2]
NAMING = [
    ROOT / name
    for name in (
        "README.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "docs/architecture.md",
        ".github/pull_request_template.md",
    )
]
PAGES = sorted({*NAMING, *ROOT.glob("docs/*.md"), ROOT / "CHANGELOG.md"})
CODE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
PACKAGES = {path.name for path in (ROOT / "pdsno_cli").iterdir() if path.is_dir()}


def named(page: Path, pattern: re.Pattern[str]) -> set[str]:
    """Return what code spans of a page name; of code blocks, each line is one."""
    text = page.read_text()
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    spans = [*CODE.findall(text), *(line for block in blocks for line in block.splitlines())]
    return {match for span in spans for match in pattern.findall(span)}


def expanded(path: str) -> list[str]:
    """Return the paths that one with braces stands for."""
    found = re.fullmatch(r"(.*)\{([^}]*)\}(.*)", path)
    if found is None:
        return [path]
    return [f"{found[1]}{one}{found[3]}" for one in found[2].split(",")]


@pytest.mark.parametrize("page", NAMING, ids=lambda page: page.name)
def test_paths_exist(page):
    pattern = re.compile(r"^[\w.{},*-]+(?:/[\w.{},*-]+)+$|^[\w-]+\.(?:md|toml|yaml)$")
    missing = []
    for name in sorted(named(page, pattern)):
        base = "pdsno_cli/" if name.split("/")[0] in PACKAGES else ""
        for path in expanded(base + name):
            found = list(ROOT.glob(path)) or "NAME" in path
            if not found:
                missing.append(path)
    assert missing == []


@pytest.mark.parametrize("page", NAMING, ids=lambda page: page.name)
def test_make_targets_exist(page):
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    wanted = named(page, re.compile(r"\bmake ((?:[a-z]+ ?)+)"))
    assert {one for words in wanted for one in words.split()} <= targets


@pytest.mark.parametrize("page", NAMING, ids=lambda page: page.name)
def test_commands_exist(page):
    known = set(typer.main.get_command(build()).commands)
    assert named(page, re.compile(r"^pdsno ([a-z]+)")) <= known


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    broken = []
    for target in LINK.findall(page.read_text()):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        to = (page.parent / path).resolve() if path else page
        if not to.exists() or (anchor and anchor not in anchors(to)):
            broken.append(target)
    assert broken == []


def test_the_table_of_packages_is_the_contract_that_is_checked():
    with (ROOT / "pyproject.toml").open("rb") as file:
        contracts = tomllib.load(file)["tool"]["importlinter"]["contracts"]
    rows = [re.findall(r"\w+", layer.replace("pdsno_cli.", "")) for layer in contracts[0]["layers"]]
    layers: list[list[str]] = []
    for line in (ROOT / "docs/architecture.md").read_text().splitlines():
        if match := re.match(r"\| (\d*) *\| `pdsno_cli/(\w+)` \|", line):
            if match[1]:
                layers.append([])
            layers[-1].append(match[2])
    assert [sorted(row) for row in layers] == [sorted(row) for row in rows]
    assert {name for row in layers for name in row} == PACKAGES - {"__pycache__"}


@pytest.mark.parametrize(
    ("subject", "accepted"),
    [("delivery: acknowledge after commit", True), ("Acknowledge after commit", False)],
)
def test_commit_hook_checks_the_subject(subject, accepted, tmp_path):
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    (hook,) = [one for one in config["repos"][0]["hooks"] if one["id"] == "commit-subject"]
    message = tmp_path / "message"
    message.write_text(f"{subject}\n\nnote: a body\n")
    done = subprocess.run(["bash", "-c", f"{hook['entry']} {message}"], check=False)
    assert (done.returncode == 0) == accepted


def test_hooks_run_targets_and_files_that_exist():
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    makefile = (ROOT / "Makefile").read_text()
    for hook in config["repos"][0]["hooks"]:
        words = hook["entry"].split()
        if words[0] == "make":
            assert f"\n{words[1]}:" in makefile
        elif words[0] == ".venv/bin/pdsno":
            assert (Path(sys.executable).parent / "pdsno").exists()


@pytest.mark.parametrize("form", sorted((ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml")))
def test_issue_forms_have_what_the_host_requires(form):
    document = yaml.safe_load(form.read_text())
    if form.name == "config.yml":
        assert set(document) <= {"blank_issues_enabled", "contact_links"}
        return
    assert {"name", "description", "body"} <= document.keys()
    assert all(item["type"] in ("markdown", "textarea", "input") for item in document["body"])
    ids = [item["id"] for item in document["body"]]
    assert len(set(ids)) == len(ids)
