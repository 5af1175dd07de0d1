"""The files of the page: HTML, one style sheet and one script, each joined of its parts."""

from __future__ import annotations

from importlib.resources import files
from typing import NamedTuple

# The map's own parts are those of ``pdsno graph``.
_MAP = "pdsno_cli.render", "templates"
_OWN = "pdsno_cli.web", "static"
_STYLE = ((*_MAP, "colours.css"), (*_MAP, "network.css"), (*_OWN, "page.css"))
_SCRIPT = (
    (*_MAP, "network.js"),
    (*_OWN, "elements.js"),
    (*_OWN, "table.js"),
    (*_OWN, "overview.js"),
    (*_OWN, "events.js"),
    (*_OWN, "devices.js"),
    (*_OWN, "device.js"),
    (*_OWN, "map.js"),
    (*_OWN, "main.js"),
)


class Asset(NamedTuple):
    """A file as it is served."""

    media_type: str
    text: str


def assets() -> dict[str, Asset]:
    """Return the files by path."""
    return {
        "/": Asset("text/html", _text(*_OWN, "page.html")),
        "/page.css": Asset("text/css", "".join(_text(*part) for part in _STYLE)),
        "/page.js": Asset("text/javascript", "".join(_text(*part) for part in _SCRIPT)),
        "/icon.svg": Asset("image/svg+xml", _text(*_OWN, "icon.svg")),
    }


def _text(package: str, folder: str, name: str) -> str:
    return (files(package) / folder / name).read_text(encoding="utf-8")
