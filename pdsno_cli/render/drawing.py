"""Draws the topics in each format: a template, or JSON."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

from pdsno_cli.render.families import Family, families
from pdsno_cli.render.flow import chart
from pdsno_cli.render.table import HEADER, aligned, rows
from pdsno_cli.render.tree import lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    import jinja2

    from pdsno_cli.spec.topology import Topology

FORMATS = ("tree", "table", "json", "markdown", "mermaid")
FORMAT_VERSION = 1
GENERIC = "the topic map"


def draw(
    topologies: Sequence[Topology | None],
    format_: str,
    *,
    everything: bool,
    width: int | None = None,
) -> str:
    """Return the topics of topologies, or of the map itself for None, in one of ``FORMATS``.

    ``everything`` also shows the topics that large families omit. A table lacks the columns that do
    not fit into ``width``; None is any width.
    """
    if format_ == "json":
        return json_(topologies)
    drawings = [
        _drawing(topology, format_, everything=everything, width=width) for topology in topologies
    ]
    if format_ == "mermaid":
        charts = [
            chart(
                families(topology),
                topology,
                title=_title(topology),
                prefix=f"p{number}" if len(topologies) > 1 else "",
            )
            for number, topology in enumerate(topologies, 1)
        ]
        return _template(format_).render(charts=charts)
    return _template(format_).render(drawings=drawings, header=HEADER)


def json_(topologies: Sequence[Topology | None]) -> str:
    """Return all topics as JSON."""
    document = {
        "format_version": FORMAT_VERSION,
        "topologies": [
            {
                "name": None if topology is None else topology.name,
                "path": None if topology is None else topology.path,
                "root": family_root(families(topology)),
                "families": [_family(family) for family in families(topology)],
            }
            for topology in topologies
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def family_root(found: Sequence[Family]) -> str:
    """Return the first level of every topic."""
    return found[0].pattern.split("/")[0]


def _family(family: Family) -> dict[str, Any]:
    return {
        "class": family.item.name,
        "pattern": family.pattern,
        "qos": family.rule.qos,
        "retain": family.rule.retain,
        "publishers": [party.value for party in family.publishers],
        "subscribers": [party.value for party in family.subscribers],
        "payload": family.item.payload,
        "topics": list(family.topics),
    }


def _drawing(
    topology: Topology | None, format_: str, *, everything: bool, width: int | None
) -> dict[str, Any]:
    found = families(topology)
    drawing: dict[str, Any] = {"title": _title(topology), "topology": topology}
    if format_ == "tree":
        drawing["lines"] = lines(found, everything=everything)
        drawing["width"] = max(
            len(line.label) for line in drawing["lines"] if line.flow or line.qos
        )
    else:
        drawing["rows"] = rows(found, everything=everything)
        drawing["aligned"] = aligned(drawing["rows"], width)
    return drawing


def _title(topology: Topology | None) -> str:
    return GENERIC if topology is None else topology.name


@cache
def _environment() -> jinja2.Environment:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("pdsno_cli.render"),
        autoescape=False,  # noqa: S701  # text for terminals and markdown, never HTML
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["cell"] = lambda text: text.replace("\\", "\\\\").replace("|", "\\|")
    environment.filters["quoted"] = _quoted
    return environment


def _quoted(text: str) -> str:
    """Return ``text`` as a quoted mermaid label; only the line break is left as markup."""
    pieces = text.split("<br/>")
    marks = {"#": "#35;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "`": "#96;", "\n": " "}
    escaped = ("".join(marks.get(c, c) for c in piece) for piece in pieces)
    return '"' + "<br/>".join(escaped) + '"'


def _template(format_: str) -> jinja2.Template:
    return _environment().get_template(f"{format_}.j2")
