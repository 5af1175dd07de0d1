"""Formats a plan for people: within 80 columns, ids uncut, alike controllers on one line; pure."""

from __future__ import annotations

import textwrap
from collections import Counter
from typing import TYPE_CHECKING, Any

from pdsno_cli.model.printable import printable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

_WIDTH = 80
_FEW = 3  # alike controllers that still get a line each
SYMBOLS = {"add": "+", "remove": "-", "live": "~", "move": "±", "restart": "±", "replace": "±"}
_OF_FIELD = {"record": "~", "live": "~", "restart": "±", "replace": "±"}


def plan_text(plan: dict[str, Any]) -> str:
    """Return the text of a plan that changes something, its token in the last line."""
    name = plan["topology"]
    lines = [f"{name} runs; to apply the file:" if plan["running"] else f"{name} does not run:"]
    for field in plan["fields"]:
        lines += _wrapped(f"  {_OF_FIELD[field['effect']]} {_values(field, '')}", 6)
    ids = {item["id"] for item in plan["changes"]}
    for alike in _groups(plan["changes"]):
        lines += _group(alike, ids)
    for effect in plan["effects"]:
        lines += _wrapped(f"  {effect}", 4)
    return "\n".join([*lines, summary(plan), f"token: {plan['token']}"])


def summary(plan: dict[str, Any]) -> str:
    """Return the number of controllers by change, in one line."""
    found = Counter(item["change"] for item in plan["changes"])
    words = [f"{found[kind]} {kind}" for kind in SYMBOLS if found[kind]]
    return "plan: " + (", ".join(words) or "no controller changes")


def _groups(changes: Sequence[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Yield the controllers that change alike together, in the order of the first of each."""
    found: dict[tuple[object, ...], list[dict[str, Any]]] = {}
    for item in changes:
        fields = tuple(_values(field, item["id"]) for field in item["fields"])
        key = (item["change"], item["role"], item["region"], fields, tuple(item["because"]))
        found.setdefault(key, []).append(item)
    for alike in found.values():
        if len(alike) > _FEW:
            yield alike
        else:
            yield from ([item] for item in alike)


def _group(alike: list[dict[str, Any]], ids: Collection[str]) -> Iterator[str]:
    first, last = alike[0], alike[-1]
    names = first["id"]
    if len(alike) > 1:
        names += f" … {last['id']} ({len(alike)})"
    place = ", ".join(word for word in (first["role"], first["region"]) if word)
    yield from _wrapped(f"  {SYMBOLS[first['change']]} {names}: {first['change']} ({place})", 6)
    for field in first["fields"]:
        yield from _wrapped(f"      {_values(field, first['id'])}", 8)
    for reason in _reasons(first["because"], ids):
        yield from _wrapped(f"      because: {reason}", 8)


def _reasons(because: Sequence[str], ids: Collection[str]) -> Iterator[str]:
    """Yield the reasons, one for many controllers that do the same: ``lc1 … lc50 (50): changes``."""
    found: dict[str, list[str]] = {}
    for reason in because:
        name, _, what = reason.partition(" ")
        found.setdefault(what if name in ids else reason, []).append(reason)
    for what, alike in found.items():
        if len(alike) > _FEW:
            first, last = (reason.partition(" ")[0] for reason in (alike[0], alike[-1]))
            yield f"{first} … {last} ({len(alike)}): {what}"
        else:
            yield from alike


def _values(field: dict[str, Any], controller_id: str) -> str:
    """Return a field and its values; the path of a controller's own begins below the controller."""
    path = field["path"].removeprefix(f"controllers.{controller_id}.")
    if field["old"] is None:
        return f"{path}: {field['new']} (new)"
    return f"{path}: {field['old']} → {'(none)' if field['new'] is None else field['new']}"


def _wrapped(text: str, indent: int) -> list[str]:
    return textwrap.wrap(
        printable(text),
        _WIDTH,
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
