"""Two forms of a schema: with ``${…}`` allowed wherever a scalar stands, and without.

Editors and other validators see a file as it is written, so the published schema allows a reference
in place of a number, an enum or a pattern. pdsno replaces references first, and checks the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

NAME = "reference"
_REFERENCE = {"$ref": f"#/definitions/{NAME}"}
_DEFINITION = {
    "description": "A variable of the environment: ${NAME}, or ${NAME:-default}; also part of a text.",
    "type": "string",
    "pattern": r"\$\{[A-Za-z_][A-Za-z0-9_]*(?::-[^}]*)?\}",
    "examples": ["${MQTT_PORT:-1883}"],
}
_NOTES = ("description", "examples", "default", "title", "deprecated")
_BOUNDS = ("enum", "pattern", "maxLength")
_SCALARS = ("string", "integer", "number", "boolean")


def allow_references(schema: dict[str, Any]) -> dict[str, Any]:
    """Return ``schema`` with a reference allowed for each scalar; not changed if it has them."""
    allowed: dict[str, Any] = _walk(without_references(schema), _opened)
    allowed.setdefault("definitions", {})[NAME] = _DEFINITION
    return allowed


def without_references(schema: dict[str, Any]) -> dict[str, Any]:
    """Return ``schema`` as it holds for a file whose references are replaced."""
    strict: dict[str, Any] = _walk(schema, _closed)
    strict.get("definitions", {}).pop(NAME, None)
    return strict


def _opened(node: dict[str, Any]) -> dict[str, Any]:
    kind = node.get("type", "string")
    text = kind == "string" or (isinstance(kind, list) and "string" in kind)
    scalar = kind in _SCALARS if isinstance(kind, str) else all(one in _SCALARS for one in kind)
    if not scalar or (text and not any(key in node for key in _BOUNDS)):
        return node  # any text fits, also a reference
    notes = {key: value for key, value in node.items() if key in _NOTES}
    rules = {key: value for key, value in node.items() if key not in _NOTES}
    return {**notes, "anyOf": [rules, _REFERENCE]}


def _closed(node: dict[str, Any]) -> dict[str, Any]:
    choices = node.get("anyOf")
    if not isinstance(choices, list) or choices[1:] != [_REFERENCE]:
        return node
    return {**{key: value for key, value in node.items() if key != "anyOf"}, **choices[0]}


def _walk(node: Any, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    """Return a schema with ``change`` made to it and to each schema in it, none of them shared."""
    if not isinstance(node, dict):
        return node
    made = dict(change(node))
    for key in ("properties", "patternProperties", "definitions"):
        if isinstance(made.get(key), dict):
            made[key] = {name: _walk(inner, change) for name, inner in made[key].items()}
    for key in ("items", "additionalProperties"):
        if key in made:
            made[key] = _walk(made[key], change)
    return made
