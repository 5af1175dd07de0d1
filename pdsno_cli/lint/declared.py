"""Finds the declarations of a setting that controllers inherit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pdsno_cli.spec.document import Document, Where


def declared(document: Document, *path: str) -> Iterator[tuple[Where, Any]]:
    """Yield path and value of each declaration of a setting, so that an inherited one comes once."""
    data = document.data
    defaults = data.get("defaults", {})
    layers: list[tuple[Where, Any]] = [(("defaults",), defaults)]
    layers += [
        (("defaults", "roles", role), raw) for role, raw in defaults.get("roles", {}).items()
    ]
    layers += [(("regions", name), raw) for name, raw in data.get("regions", {}).items()]
    layers += [(("controllers", key), raw) for key, raw in data["controllers"].items()]
    for where, raw in layers:
        value = raw
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        if value is not None:
            yield (*where, *path), value


def declared_communities(document: Document) -> Iterator[tuple[Where, str]]:
    """Yield path and text of each SNMP community, alone or in a list of credentials."""
    yield from declared(document, "discovery", "snmp", "community")
    for where, item in declared_credentials(document):
        if "community" in item:
            yield (*where, "community"), item["community"]


def declared_credentials(document: Document) -> Iterator[tuple[Where, dict[str, Any]]]:
    """Yield path and content of each SNMP credential of a list."""
    for where, items in declared(document, "discovery", "snmp", "credentials"):
        for index, item in enumerate(items):
            yield (*where, index), item
