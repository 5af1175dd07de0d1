"""Turns schema violations into findings: what was found, what is expected, and an example."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pdsno_cli.model.names import did_you_mean
from pdsno_cli.spec import codes, fixes
from pdsno_cli.spec.misplaced import read
from pdsno_cli.spec.value_hints import meant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pdsno_cli.model.diagnostics import Diagnostic, Edit
    from pdsno_cli.spec.document import Document, Where
    from pdsno_cli.spec.schema import Shape, Violation

_TYPES = {
    "object": "a mapping",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "nothing",
}
_BOUNDS = {
    "minimum": "at least",
    "maximum": "at most",
}
_LEAST = {"minItems": "item", "minLength": "character", "minProperties": "entry"}


def explain(document: Document, violations: list[Violation], shape: Shape) -> Iterator[Diagnostic]:
    """Yield the findings for the violations of one file: one for each mistake.

    Unknown keys come first: a misspelt or misplaced one also explains what is missing elsewhere.
    """
    # A value of a wrong type is no allowed word either: the type comes first, and is enough.
    violations = sorted(
        violations, key=lambda item: (document.place(item.where), item.keyword != "type")
    )
    reading = read(document, violations, shape)
    # What is missing beside an unknown key may be what that key was meant to be.
    vague = {where[:-1] for where in reading.keys.keys() - reading.certain}
    for where, hint in reading.keys.items():
        yield document.finding(
            codes.UNKNOWN_KEY,
            f"unknown key {str(where[-1])!r}{_inside(where[:-1])}",
            where,
            key=True,
            hint=hint,
            fix=fixes.misspelt_key(document, where, shape, hint),
        )
    missing: set[tuple[int, str]] = set()
    untyped: set[Where] = set()
    for violation in violations:
        if violation.keyword == "required":
            # An alias repeats its node: what is missing there is missing once.
            identity = (id(violation.value), ",".join(violation.fragment["required"]))
            if (
                identity in missing
                or violation.where in vague
                or id(violation.value) in document.partial
            ):
                continue
            missing.add(identity)
        if violation.keyword == "type":
            untyped.add(violation.where)
        elif violation.where in untyped:
            continue
        if violation.keyword != "additionalProperties" and not reading.explains(violation.where):
            yield from _explain(document, violation, shape)


def _explain(document: Document, violation: Violation, shape: Shape) -> Iterator[Diagnostic]:
    keyword, fragment, where = violation.keyword, violation.fragment, violation.where
    if keyword == "required":
        yield from _missing(document, violation)
        return
    value = violation.value
    if keyword == "uniqueItems":
        yield _repeated(document, violation)
        return
    key = next((step for step in reversed(where) if isinstance(step, str)), "")
    found = meant(fragment, value, lambda candidate: shape.fits(candidate, fragment), str(key))
    hint = None if found is None else _written(where, found)
    fix: tuple[Edit, ...] = ()
    if keyword == "type":
        code = codes.WRONG_TYPE
        message = f"{_named(where)} takes {_types(fragment)}, not {_described(value)}"
        fix = fixes.wrong_type(document, where, fragment, value)
        if hint is None and isinstance(value, list) and key in ("regions", "controllers"):
            hint = f"write a mapping by name: {_flow(fragment['examples'][0])}"
    elif keyword == "enum":
        code = codes.NO_SUCH_VALUE
        message = f"{_named(where)} cannot be {_described(value)}"
        allowed = list(dict.fromkeys(str(item) for item in fragment["enum"]))
        fix = fixes.misspelt_value(document, where, value, allowed)
        hint = hint or did_you_mean(str(value), allowed) or f"one of: {', '.join(allowed)}"
    elif keyword == "pattern":
        code = codes.MALFORMED
        fix = fixes.duration(document, where, fragment, value)
        message = f"{_named(where)} cannot be {_described(value)}"
        if "ms|s|m|h" in fragment["pattern"]:
            message += ": a duration is one number and one of ms, s, m, h"
        elif where == ("name",):
            message += ": use letters, digits, '.', '_' and '-', first a letter or digit"
    else:
        code = codes.OUT_OF_BOUNDS
        message = f"{_named(where)} {_bounded(violation)}"
    entry = value is None and not document.is_written(where)
    if hint is None and "enum" in fragment and isinstance(where[-1], int):
        hint = f"one of: {', '.join(map(str, fragment['enum']))}"
    hint = hint or _example(fragment, where) or _example(shape.fragment(where[:-1]), where[:-1])
    yield document.finding(
        code, message, where, key=entry, flow=keyword in ("type", "enum"), hint=hint, fix=fix
    )


def _written(where: Where, text: str) -> str:
    """Return the hint to write a value: with its key, unless it is an item of a list."""
    return f"write {text}" if isinstance(where[-1], int) else f"write {where[-1]}: {text}"


def _missing(document: Document, violation: Violation) -> Iterator[Diagnostic]:
    properties = violation.fragment.get("properties", {})
    for key in violation.fragment["required"]:
        # A key that the file has was removed because of another finding.
        if key not in violation.value and not document.has((*violation.where, key)):
            yield document.finding(
                codes.MISSING_KEY,
                f"the key {key!r} is missing{_inside(violation.where)}",
                violation.where,
                key=True,
                hint=_example(properties.get(key, {}), (key,)),
            )


def _repeated(document: Document, violation: Violation) -> Diagnostic:
    items: list[Any] = violation.value
    index = next(n for n, item in enumerate(items) if item in items[:n])
    return document.finding(
        codes.OUT_OF_BOUNDS,
        f"{_named(violation.where)} has {_described(items[index])} twice",
        (*violation.where, index),
        hint="remove one of the two",
    )


def _bounded(violation: Violation) -> str:
    keyword, fragment = violation.keyword, violation.fragment
    limit = fragment.get(keyword)
    if keyword in _BOUNDS:
        return f"must be {_BOUNDS[keyword]} {limit:,}, not {_described(violation.value)}"
    if keyword in _LEAST:
        return "must not be empty" if limit == 1 else f"needs {limit} {_LEAST[keyword]}s or more"
    if keyword == "maxLength":
        return f"must not be longer than {limit} characters"
    return "is invalid here"


def _inside(where: Where) -> str:
    return f" in {_named(where)}" if where else ""


def _named(where: Where) -> str:
    """Return the path as text, for example ``controllers.local_1.discovery``."""
    if not where:
        return "the topology"
    text = ""
    for step in where:
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
    return text.lstrip(".")


def _types(fragment: dict[str, Any]) -> str:
    if "ms|s|m|h" in fragment.get("pattern", ""):
        return "a duration"
    wanted = fragment["type"]
    names = [_TYPES[name] for name in ([wanted] if isinstance(wanted, str) else wanted)]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


def _described(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f"{value[:60]!r}" + ("…" if len(value) > 60 else "") if value else "an empty text"
    if isinstance(value, int | float):
        return f"the number {value}"
    return "a mapping" if isinstance(value, dict) else "a list"


def _example(fragment: dict[str, Any], where: Where) -> str | None:
    examples = fragment.get("examples")
    if not examples:
        return None
    key = next((step for step in reversed(where) if isinstance(step, str)), "")
    if where and isinstance(where[-1], int):
        return f"for example: {_flow(examples[0])}"
    return f"for example: {key}: {_flow(examples[0])}"


def _flow(value: Any) -> str:
    """Return ``value`` on one line, in YAML's flow style."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, str):
        return json.dumps(value) if "${" in value else value
    return json.dumps(value)
