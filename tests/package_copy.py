"""A copy of the package in which a recipe of the documentation is followed, and what it changed."""

from __future__ import annotations

import filecmp
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def copy_package(folder: Path, *files: Path) -> None:
    """Copy the package, its schemas and ``files`` (relative to the repository) into ``folder``."""
    # What is compiled stays so, but what is being compiled is about to have another name.
    ignored = shutil.ignore_patterns("schemas", "*.pyc.*")
    shutil.copytree(ROOT / "pdsno_cli", folder / "pdsno_cli", ignore=ignored)
    shutil.copytree(ROOT / "schemas", folder / "schemas")
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, folder / file)


def snippets(page: Path, title: str, kind: str = "python") -> list[str]:
    """Return the code blocks of a kind in the section ``title`` of a page."""
    section = page.read_text().split(f"## {title}\n")[1].split("\n## ")[0]
    return re.findall(rf"^```{kind}\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)


def insert(file: Path, *, before: str, text: str) -> None:
    """Insert ``text`` where ``before`` stands, which must be one place."""
    content = file.read_text()
    assert content.count(before) == 1, before
    file.write_text(content.replace(before, text + before))


def python(folder: Path, *arguments: str, status: int = 0) -> str:
    """Run Python on the copy in ``folder``; return what it prints."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder)},  # before the package that is installed
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout


def changed(folder: Path) -> set[Path]:
    """Return the files of a copy that differ from the original's, or are not there."""
    files = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
    return {
        file
        for file in files
        if "__pycache__" not in file.parts
        and not ((ROOT / file).is_file() and filecmp.cmp(ROOT / file, folder / file, shallow=False))
    }
