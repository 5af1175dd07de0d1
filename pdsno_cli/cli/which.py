"""Which topology file a command is about when its caller names none."""

from __future__ import annotations

import os
from pathlib import Path


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
