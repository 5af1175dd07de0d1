"""The hooks of `.pre-commit-hooks.yaml` in a repository of a user, with the real pre-commit."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.packaging.test_wheel import UNREACHABLE, unable

ROOT = Path(__file__).parents[2]
PRE_COMMIT = Path(sys.executable).with_name("pre-commit")
BAD = "name: bad\ncontrollers: {g: {role: globl}}\n"


@pytest.fixture
def repository(tmp_path):
    folder = tmp_path / "user"
    (folder / "topologies").mkdir(parents=True)
    (folder / "topologies" / "bad.yaml").write_text(BAD)
    (folder / "my-topology.yml").write_text(BAD.replace("globl", "global"))
    (folder / "compose.yaml").write_text("services: {}\n")
    for words in (["init", "-q"], ["add", "."]):
        subprocess.run(["git", *words], cwd=folder, check=True)
    return folder


@pytest.fixture
def hooks(tmp_path):
    """Return pdsno's repository as it is now: a worktree's cannot be cloned as it stands."""
    folder = tmp_path / "pdsno"
    for name in ("pdsno_cli", "schemas"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    for name in (".pre-commit-hooks.yaml", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder / name)
    who = ["-c", "user.name=test", "-c", "user.email=test@example.net"]
    for words in (["init", "-q"], ["add", "-A"], [*who, "commit", "-qm", "state"]):
        subprocess.run(["git", *words], cwd=folder, check=True)
    return folder


def declare(folder, hooks):
    """Have a repository use all hooks, which are then installed once."""
    head = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=hooks, capture_output=True, text=True, check=True
    )
    names = [{"id": "pdsno-validate"}, {"id": "pdsno-fix"}]
    declared = {"repo": str(hooks), "rev": head.stdout.strip(), "hooks": names}
    (folder / ".pre-commit-config.yaml").write_text(yaml.safe_dump({"repos": [declared]}))
    subprocess.run(["git", "add", "."], cwd=folder, check=True)


def run_hook(folder, home, hook):
    return subprocess.run(
        [PRE_COMMIT, "run", hook, "--all-files", "--verbose"],
        cwd=folder,
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
            "PRE_COMMIT_HOME": str(home),
            "PIP_CONSTRAINT": str(ROOT / "constraints.txt"),
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_NO_COMPILE": "no",  # which is yes; a hook imports a tenth of what is installed
        },
        capture_output=True, text=True, check=False, timeout=550,
    )  # fmt: skip


@pytest.mark.long
@pytest.mark.timeout(600)  # pre-commit installs pdsno and all that it needs
def test_hook_checks_the_topologies_of_a_repository_and_nothing_else(repository, hooks, tmp_path):
    declare(repository, hooks)
    done = run_hook(repository, tmp_path / "home", "pdsno-validate")
    if UNREACHABLE.search(done.stdout + done.stderr):
        unable("pre-commit cannot install pdsno: no package index is in reach")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "topologies/bad.yaml:2:25: error[PDS104]" in done.stdout
    assert "1 error in 2 files" in done.stdout
    (repository / "topologies" / "bad.yaml").write_text(BAD.replace("globl", "global"))
    subprocess.run(["git", "add", "."], cwd=repository, check=True)
    done = run_hook(repository, tmp_path / "home", "pdsno-fix")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 files ok" in done.stdout


def test_hooks_are_those_that_the_page_names():
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    page = (ROOT / "docs" / "linting.md").read_text()
    assert {hook["id"] for hook in hooks} == {"pdsno-validate", "pdsno-fix"}
    assert all(f"`{hook['id']}`" in page for hook in hooks)
    pattern = re.compile(hooks[0]["files"])
    taken = ("topologies/a.yaml", "net/topologies/b/a.yml", "topology.yaml", "x/my-topology-2.yml")
    left = ("compose.yaml", "topologies.yaml", "topologies/a.json", "xtopologies/a.yaml")
    assert [name for name in taken if not pattern.search(name)] == []
    assert [name for name in left if pattern.search(name)] == []
