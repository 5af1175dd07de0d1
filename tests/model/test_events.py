from __future__ import annotations

import re
from pathlib import Path

from pdsno_cli.model.events import EVENT_KINDS

ROOT = Path(__file__).parents[2]


def test_kinds_are_those_that_the_documentation_lists():
    page = (ROOT / "docs" / "messages.md").read_text()
    table = page.split("## Events\n")[1].split("\n## ")[0]
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    kinds = [kind for cell in cells for kind in re.findall(r"`(\w+)`", cell)]
    assert [kind for kind in kinds if kind != "event"] == list(EVENT_KINDS)
