"""What is written down of the message kinds: the envelope schema's enum, the table of the docs.

`python -m tests.schemas.derived` rewrites both, in the folder where it is started.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from pdsno_cli.model.schemas import schema_path
from pdsno_cli.model.topics import CLASSES, MESSAGE_TYPES

SCHEMA, PAGE = Path("schemas/envelope.schema.json"), Path("docs/messages.md")
_TABLE = re.compile(r"(?<=<!-- kinds -->\n)(?:\|.*\n)*")


def schema(text: str) -> str:
    """Return the text of the envelope schema with the names of all kinds."""
    document = json.loads(text)
    document["properties"]["message_type"]["enum"] = list(MESSAGE_TYPES)
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def page(text: str) -> str:
    """Return the text of the page with a row for each kind."""
    rows = ["| `message_type` | on topic | committed by | content |", "|---|---|---|---|"]
    for item in CLASSES.values():
        kind = item.message_type
        file = schema_path(kind)
        topics = ", ".join(f"`{{root}}/{pattern}`" for pattern in item.patterns)
        receiver = "nobody" if item.committed_by is None else item.committed_by.value
        content = json.loads(file.read_text())["description"].split(". ")[0]
        link = f"[`{kind}`](../schemas/{file.name})"
        rows.append(f"| {link} | {topics} | {receiver} | {content} |")
    table = "".join(f"{row}\n" for row in rows)
    changed, count = _TABLE.subn(lambda _: table, text)
    assert count == 1
    return changed


DERIVED = {SCHEMA: schema, PAGE: page}

if __name__ == "__main__":
    for path, derive in DERIVED.items():
        path.write_text(derive(path.read_text()))
