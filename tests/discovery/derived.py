"""What is written down of the registries of probes and transports: enums of the schema, a table.

`python -m tests.discovery.derived` rewrites both, in the folder where it is started.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from pdsno_cli.model.probes import PROBES, PROTOCOLS
from pdsno_cli.model.transports import FACTS as TRANSPORTS_BY_NAME

SCHEMA, PAGE = Path("schemas/topology.schema.json"), Path("docs/discovery.md")
_TABLE = re.compile(r"(?<=<!-- probes -->\n)(?:\|.*\n)*")


def schema(text: str) -> str:
    """Return the text of the topology schema with the names of all probes and transports."""
    document = json.loads(text)
    document["definitions"]["protocols"]["items"]["enum"] = list(PROTOCOLS)
    classes = document["definitions"]["topics"]["properties"].values()
    for holder in (document, *(item for item in classes if "properties" in item)):
        holder["properties"]["fallbacks"]["items"]["enum"] = list(TRANSPORTS_BY_NAME)
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
