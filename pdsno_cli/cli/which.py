"""Which topology file a command is about when its caller names none."""

from __future__ import annotations

import os
from pathlib import Path

SUFFIXES = (".yaml", ".yml")


def file_first(words: list[str]) -> tuple[Path | None, list[str]]:
    """Return the topology file that ``words`` begin with, if they do, and the rest of them."""
    if words and (words[0].endswith(SUFFIXES) or Path(words[0]).is_file()):
        return Path(words[0]), words[1:]
    return None, words


def topology_files(file: Path | None) -> list[Path]:
    """Return ``file``, else $PDSNO_TOPOLOGY, else ./topology.yaml, else each of ./topologies/*.yaml.

    Empty when there is none of these. A file that is named is not looked for: whoever opens it
    says what is wrong with it.
    """
    if file is not None:
        return [file]
    if named := os.environ.get("PDSNO_TOPOLOGY"):
        return [Path(named)]
    here = Path("topology.yaml")
    return [here] if here.is_file() else sorted(Path("topologies").glob("*.yaml"))
