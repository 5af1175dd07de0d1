"""What every format is given, and what several need: paths as others know them."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pdsno_cli.model.diagnostics import Diagnostic

STDIN = "stdin"
# Where CI has checked the repository out: reports show paths relative to it.
_ROOTS = ("GITHUB_WORKSPACE", "CI_PROJECT_DIR")


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The outcome of a run.

    ``diagnostics`` are sorted; ``files`` are those that were read, ``unreadable`` those that were
    not, each with its reason. ``accepted`` is the number of findings that a baseline hides.
    """

    diagnostics: Sequence[Diagnostic]
    files: Sequence[str]
    unreadable: Sequence[tuple[str, str]] = ()
    accepted: int = 0
    statistics: bool = False
    colour: bool = False

    def counts(self) -> list[tuple[str, int]]:
        """Return how many findings each code has, the most frequent first."""
        return sorted(
            Counter(item.code for item in self.diagnostics).items(), key=lambda e: (-e[1], e[0])
        )


def repository_path(path: str) -> str:
    """Return ``path`` relative to the repository where CI names it, else to the current folder.

    It has slashes and no ``./``. A path outside is absolute.
    """
    if path == "-":
        return STDIN
    here = Path.cwd()
    root = next(
        (Path(found) for name in _ROOTS if (found := os.environ.get(name)) and _holds(found, here)),
        here,
    )
    whole = Path(os.path.normpath(here / path))
    return (whole.relative_to(root) if whole.is_relative_to(root) else whole).as_posix()


def text_of(item: Diagnostic) -> str:
    """Return message and hint on one line, for formats with room for one text."""
    return f"{item.message} ({item.hint})" if item.hint else item.message


def _holds(root: str, folder: Path) -> bool:
    return Path(root).is_absolute() and folder.is_relative_to(root)
