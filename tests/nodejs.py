"""Runs the packages of `tests/node`, which `make node` installs."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.conftest import require

MODULES = Path(__file__).parent / "node" / "node_modules"


def package(name: str) -> Path:
    """Return the folder of a package; without it the test skips, or fails where CI demands it."""
    path = MODULES / name
    if not path.is_dir():
        message = f"{name} is not installed: make node"
        if os.environ.get("PDSNO_TEST_REQUIRE_TOOLS"):
            pytest.fail(message)
        pytest.skip(message)
    return path


def node(script: str, *arguments: str | Path, stdin: str = "") -> str:
    """Run a script with Node.js, below the packages; return what it prints."""
    done = subprocess.run(
        [require("node"), "-e", script, *map(str, arguments)],
        cwd=MODULES.parent,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
