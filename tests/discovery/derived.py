"""What is written down of the registry of probes: the schema's enum and the table of the docs.

`python -m tests.discovery.derived` rewrites both, in the folder where it is started.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from pdsno_cli.model.probes import PROBES, PROTOCOLS

SCHEMA, PAGE = Path("schemas/topology.schema.json"), Path("docs/discovery.md")
_TABLE = re.compile(r"(?<=<!-- probes -->\n)(?:\|.*\n)*")


def schema(text: str) -> str:
    """Return the text of the topology schema with the names of all probes."""
    document = json.loads(text)
    document["definitions"]["protocols"]["items"]["enum"] = list(PROTOCOLS)
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def page(text: str) -> str:
    """Return the text of the page with a row for each probe."""
    rows = ["| protocol | request | yields | needs | targets |", "|---|---|---|---|---|"]
    for facts in PROBES:
        yields = ", ".join(f"`{name}`" for name in facts.yields) or "that the address answers"
        reach = "those on a link of this machine" if facts.on_link else "all"
        needs = facts.privilege or "nothing"
        rows.append(f"| `{facts.name}` | {facts.asks} | {yields} | {needs} | {reach} |")
    table = "".join(f"{row}\n" for row in rows)
    changed, count = _TABLE.subn(lambda _: table, text)
    assert count == 1
    return changed


DERIVED = {SCHEMA: schema, PAGE: page}

if __name__ == "__main__":
    for path, derive in DERIVED.items():
        path.write_text(derive(path.read_text()))
