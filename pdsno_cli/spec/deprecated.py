"""Deprecated keys: the schema marks them, files that use them still work.

A property of the schema with ``"deprecated": true`` is one, ``"x-replaced-by"`` the key beside it that
takes its place, with the same values. Editors strike it through, ``lint`` warns and can rename it, and
here it is renamed in the data, so that nothing after this knows of it. A required key cannot be one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from pdsno_cli.spec.schema import schema

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pdsno_cli.spec.document import Document, Where

ANY = "*"  # a step that stands for every key of a mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Deprecated:
    """A deprecated key of the mappings at ``where``, and the key that replaces it, if any."""

    where: tuple[str, ...]
    key: str
    instead: str | None


@cache
def deprecated_keys() -> tuple[Deprecated, ...]:
    """Return the deprecated keys of topology files."""
    return tuple(_walk(schema(), (), frozenset()))


def _walk(
    fragment: dict[str, Any], where: tuple[str, ...], within: frozenset[str]
) -> Iterator[Deprecated]:
    reference = fragment.get("$ref")
    if reference is not None:
        if reference in within:
            return
        name = reference.rsplit("/", 1)[1]
        yield from _walk(schema()["definitions"][name], where, within | {reference})
        return
    for key, value in fragment.get("properties", {}).items():
        if value.get("deprecated"):
            yield Deprecated(where=where, key=key, instead=value.get("x-replaced-by"))
        yield from _walk(value, (*where, key), within)
    rest = fragment.get("additionalProperties")
    if isinstance(rest, dict):
        yield from _walk(rest, (*where, ANY), within)


def uses(document: Document) -> Iterator[tuple[Where, dict[str, Any], Deprecated]]:
    """Yield the deprecated keys of a file, also after ``rename``: path and mapping of each."""
    for item in deprecated_keys():
        for where, node in _mappings(document.data, item.where, ()):
            if document.entry(node, item.key) is not None:
                yield (*where, item.key), node, item


def _mappings(
    node: Any, steps: tuple[str, ...], where: Where
) -> Iterator[tuple[Where, dict[str, Any]]]:
    if not isinstance(node, dict):
        return
    if not steps:
        yield where, node
        return
    for key in list(node) if steps[0] == ANY else [steps[0]]:
        yield from _mappings(node.get(key), steps[1:], (*where, key))


def rename(document: Document) -> None:
    """Rename the deprecated keys in the data; where the new key is there, too, it counts."""
    for _, node, item in list(uses(document)):
        if item.key in node:
            value = node.pop(item.key)
            if item.instead is not None and item.instead not in node:
                node[item.instead] = value
                document.alias(node, item.key, item.instead)
