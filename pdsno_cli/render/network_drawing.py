"""Draws a network as Mermaid, Graphviz's DOT, JSON, or one HTML page that needs no network."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from pdsno_cli.render.network import ADDRESSES, MACS
from pdsno_cli.render.network_layout import layout

if TYPE_CHECKING:
    from collections.abc import Sequence

    import jinja2

    from pdsno_cli.render.network import Cable, Network
    from pdsno_cli.render.network_layout import Layout, Place

FORMATS = ("mermaid", "dot", "json", "html")
FORMAT_VERSION = 1
_NAME = 18  # characters of a name in a box
_HEARD = "heard of"  # the title of what is no device of any region
FOLDED_FROM = 1500  # boxes from which on the regions of a page are folded at first

# The class of a box in the page, by kind: the colours are in its style sheet.
_LOOKS = {
    "router": "router",
    "firewall": "guard",
    "load balancer": "guard",
    "switch": "switch",
    "access point": "air",
    "wlan controller": "air",
    "server": "host",
    "hypervisor": "host",
    "storage": "host",
}


def draw_network(network: Network, format_: str) -> str:
    """Return a drawing of a network in one of ``FORMATS``."""
    match format_:
        case "mermaid":
            return _mermaid(network)
        case "dot":
            return _dot(network)
        case "json":
            return json.dumps(_document(network), indent=2) + "\n"
        case _:
            return _html(network)


def _mermaid(network: Network) -> str:
    lines = ["flowchart TB"]
    for index, (region, members) in enumerate(_regions(network).items()):
        lines += [f'  subgraph r{index}["{_plain(region or _HEARD)}"]']
        lines += [f'    n{number}["{_plain(network.boxes[number].name)}"]' for number in members]
        lines += ["  end"]
    for cable in network.cables:
        line = "---" if cable.confirmed else "-.-"
        ports = _plain(" to ".join(port for port in (cable.port, cable.other_port) if port))
        label = f'|"{ports}"|' if ports else ""
        lines.append(f"  n{cable.box} {line}{label} n{cable.other}")
    return "\n".join(lines) + "\n"


def _plain(text: str) -> str:
    """Return text that Mermaid shows as it is (its entities have no ampersand)."""
    for character, entity in (("#", "#35;"), ('"', "#quot;"), ("<", "#lt;"), (">", "#gt;")):
        text = text.replace(character, entity)
    return text


def _dot(network: Network) -> str:
    lines = [
        "graph network {",
        "  node [shape=box, style=rounded];",
        f"  label={_quoted(network.title)};",
    ]
    for index, (region, members) in enumerate(_regions(network).items()):
        lines += [f"  subgraph cluster_{index} {{", f"    label={_quoted(region or _HEARD)};"]
        for number in members:
            box = network.boxes[number]
            label = f"{box.name}\n{box.kind}" if box.kind else box.name
            lines.append(f"    n{number} [label={_quoted(label)}];")
        lines.append("  }")
    for cable in network.cables:
        style = "" if cable.confirmed else ", style=dashed"
        ends = f"taillabel={_quoted(cable.port)}, headlabel={_quoted(cable.other_port)}"
        lines.append(f"  n{cable.box} -- n{cable.other} [{ends}{style}];")
    return "\n".join([*lines, "}"]) + "\n"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _regions(network: Network) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for number, box in enumerate(network.boxes):
        found.setdefault(box.region, []).append(number)
    return dict(sorted(found.items()))


def _document(network: Network) -> dict[str, Any]:
    return {
        "format_version": FORMAT_VERSION,
        "topology": network.title,
        "devices": [
            {
                "id": number,
                "name": box.name,
                "type": box.kind,
                "region": box.region,
                "known": box.known,
                "addresses": list(box.addresses),
                "macs": list(box.macs),
                **{
                    name.replace(" ", "_"): value
                    for name, value in box.facts
                    if name not in {ADDRESSES, MACS}
                },
            }
            for number, box in enumerate(network.boxes)
        ],
        "links": [_link(cable) for cable in network.cables],
    }


def _link(cable: Cable) -> dict[str, Any]:
    return {
        "from": cable.box,
        "from_port": cable.port,
        "to": cable.other,
        "to_port": cable.other_port,
        "evidence": cable.evidence,
        "confirmed": cable.confirmed,
    }


def _html(network: Network) -> str:
    drawn = draw_svg(network)
    return (
        _environment()
        .get_template("network.html.j2")
        .render(
            title=network.title,
            counts=f"{len(network.boxes)} devices, {len(network.cables)} links",
            svg=drawn.svg,
            data=_script_safe(drawn.data),
        )
    )


@dataclass(frozen=True, slots=True)
class Drawn:
    """The SVG of a network, and what the script of the map needs beside it, as JSON data."""

    svg: str
    data: dict[str, Any]


def draw_svg(network: Network) -> Drawn:
    """Return the map of a page: names that devices give themselves are escaped in the SVG."""
    places = layout(network)
    names = list(places.regions)
    cables = [_cable(network, places.boxes, number) for number in range(len(network.cables))]
    svg = (
        _environment()
        .get_template("network_svg.j2")
        .render(
            title=network.title,
            width=round(places.width),
            height=round(places.height),
            cross=[cable for cable in cables if cable["region"] is None],
            regions=[
                _frame(network, places, number, [c for c in cables if c["region"] == name])
                for number, name in enumerate(names)
            ],
        )
    )
    data = {
        "folded": len(network.boxes) > FOLDED_FROM and len(names) > 1,
        "regions": [
            {"name": name or _HEARD, "at": _rounded(place)}
            for name, place in places.regions.items()
        ],
        "boxes": [
            {
                "name": box.name,
                "kind": box.kind,
                "region": names.index(box.region),
                "facts": box.facts,
                "at": _rounded(place)[:2],
            }
            for box, place in zip(network.boxes, places.boxes, strict=True)
        ],
        "cables": [(c.box, c.port, c.other, c.other_port, c.evidence) for c in network.cables],
    }
    return Drawn(svg, data)


def _frame(
    network: Network, places: Layout, number: int, cables: list[dict[str, Any]]
) -> dict[str, Any]:
    """Return what the template draws of one region."""
    name = list(places.regions)[number]
    x, y, width, height = _rounded(places.regions[name])
    boxes = [
        {
            "number": index,
            "x": round(place.x),
            "y": round(place.y),
            "width": round(place.width),
            "height": round(place.height),
            "name": _cut(box.name),
            "kind": box.kind,
            "look": _LOOKS.get(box.kind, "end") if box.known else "heard",
        }
        for index, (box, place) in enumerate(zip(network.boxes, places.boxes, strict=True))
        if box.region == name
    ]
    return {
        "number": number,
        "name": name or _HEARD,
        "count": len(boxes),
        "x": x,
        "y": y,
        "width": width,
        "height": height,
        "cables": cables,
        "boxes": boxes,
    }


def _cable(network: Network, places: Sequence[Place], number: int) -> dict[str, Any]:
    """Return what the template draws of one cable: from the lower edge of the higher box."""
    cable = network.cables[number]
    regions = {network.boxes[cable.box].region, network.boxes[cable.other].region}
    upper, lower = sorted((places[cable.box], places[cable.other]), key=lambda place: place.y)
    x, end = round(upper.x + upper.width / 2), round(lower.x + lower.width / 2)
    if upper.y == lower.y:
        y = round(upper.y + upper.height / 2)
        path = f"M{x} {y}Q{(x + end) // 2} {y - 40} {end} {y}"
    else:
        y, bottom = round(upper.y + upper.height), round(lower.y)
        middle = (y + bottom) // 2
        path = f"M{x} {y}C{x} {middle} {end} {middle} {end} {bottom}"
    return {
        "number": number,
        "region": regions.pop() if len(regions) == 1 else None,
        "look": "sure" if cable.confirmed else "guessed",
        "path": path,
    }


def _cut(text: str) -> str:
    """Return a name that fits into a box."""
    return text if len(text) <= _NAME else f"{text[: _NAME - 1]}…"


def _rounded(place: Place) -> list[int]:
    return [round(value) for value in (place.x, place.y, place.width, place.height)]


def _script_safe(data: dict[str, Any]) -> str:
    """Return JSON that may stand in a script element, whatever names devices give themselves."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    for character in ("<", ">", "&", "\u2028", "\u2029"):
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


@cache
def _environment() -> jinja2.Environment:
    import jinja2

    return jinja2.Environment(
        loader=jinja2.PackageLoader("pdsno_cli.render"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
    )
