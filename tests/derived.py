"""Files that derive from the registries of probes, transports and message kinds.

They are enums of JSON Schemas and tables of pages. `python -m tests.derived` rewrites them in the
current folder.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from pdsno_cli.model.brokers import BROKERS
from pdsno_cli.model.probes import PROBES, PROTOCOLS
from pdsno_cli.model.schemas import schema_path
from pdsno_cli.model.topics import CLASSES, MESSAGE_TYPES
from pdsno_cli.model.transports import FACTS as TRANSPORTS_BY_NAME
from pdsno_cli.spec.references import allow_references, without_references

TOPOLOGY, ENVELOPE = Path("schemas/topology.schema.json"), Path("schemas/envelope.schema.json")
DISCOVERY, MESSAGES = Path("docs/discovery.md"), Path("docs/messages.md")


def topology_schema(text: str) -> str:
    """Return the topology schema with all probes, transports and brokers, and references for scalars."""
    document = without_references(json.loads(text))
    broker = document["definitions"]["broker"]["properties"]
    broker["kind"]["enum"] = [facts.name for facts in BROKERS]
    document["definitions"]["protocols"]["items"]["enum"] = list(PROTOCOLS)
    classes = document["definitions"]["topics"]["properties"].values()
    for item in (document, *(item for item in classes if "properties" in item)):
        item["properties"]["fallbacks"]["items"]["enum"] = list(TRANSPORTS_BY_NAME)
    return _json(allow_references(document))


def envelope_schema(text: str) -> str:
    """Return the envelope schema with the names of all message kinds."""
    document = json.loads(text)
    document["properties"]["message_type"]["enum"] = list(MESSAGE_TYPES)
    return _json(document)


def discovery_page(text: str) -> str:
    """Return the page with a row for each probe."""
    rows = []
    for facts in PROBES:
        yields = ", ".join(f"`{name}`" for name in facts.yields) or "that the address answers"
        reach = "those on a link of this machine" if facts.on_link else "all"
        rows.append((f"`{facts.name}`", facts.asks, yields, facts.privilege or "nothing", reach))
    return _with_table(text, "probes", ("protocol", "request", "yields", "needs", "targets"), rows)


def messages_page(text: str) -> str:
    """Return the page with a row for each message kind."""
    rows = []
    for item in CLASSES.values():
        file = schema_path(item.message_type)
        topics = ", ".join(f"`{{root}}/{pattern}`" for pattern in item.patterns)
        receiver = "no controller" if item.committed_by is None else item.committed_by.value
        content = json.loads(file.read_text())["description"].split(". ")[0]
        rows.append((f"[`{item.message_type}`](../schemas/{file.name})", topics, receiver, content))
    columns = ("`message_type`", "on topic", "committed by", "content")
    return _with_table(text, "kinds", columns, rows)


def _json(document: Any) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _with_table(text: str, name: str, columns: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return ``text`` with the table below the comment ``name`` replaced."""
    columns = tuple(columns)
    lines = [columns, *rows]
    table = [f"| {' | '.join(cells)} |\n" for cells in lines]
    table.insert(1, f"|{'---|' * len(columns)}\n")
    old = re.compile(rf"(?<=<!-- {name} -->\n)(?:\|.*\n)*")
    changed, count = old.subn(lambda _: "".join(table), text)
    assert count == 1
    return changed


DERIVED: dict[Path, Callable[[str], str]] = {
    TOPOLOGY: topology_schema,
    ENVELOPE: envelope_schema,
    DISCOVERY: discovery_page,
    MESSAGES: messages_page,
}

if __name__ == "__main__":
    for path, derive in DERIVED.items():
        path.write_text(derive(path.read_text()))
