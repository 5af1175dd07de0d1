"""Finds the topology files that a command's arguments name."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from pdsno_cli.cli.target import SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def walk(names: Sequence[str]) -> Iterator[str]:
    """Yield each file once, and for a directory every topology below it except hidden ones.

    A directory without a topology is yielded itself.
    """
    seen: set[str] = set()
    for name in names:
        found = sorted(_below(name)) if Path(name).is_dir() else []
        for path in found or [name]:
            if path not in seen:
                seen.add(path)
                yield path


def _below(directory: str) -> Iterator[str]:
    for folder, folders, names in os.walk(directory):
        folders[:] = [entry for entry in folders if not entry.startswith(".")]
        for entry in names:
            if entry.endswith(SUFFIXES) and not entry.startswith("."):
                yield str(Path(folder, entry))
