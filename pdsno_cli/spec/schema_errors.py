"""Turns schema violations into findings: what was found, what is expected, and an example."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pdsno_cli.model.names import did_you_mean
from pdsno_cli.spec import codes
from pdsno_cli.spec.misplaced import read

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pdsno_cli.model.diagnostics import Diagnostic
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
    violations = sorted(violations, key=lambda item: document.place(item.where))
    reading = read(document, violations, shape)
    for where, hint in reading.keys.items():
        yield document.finding(
            codes.UNKNOWN_KEY,
            f"unknown key {str(where[-1])!r}{_inside(where[:-1])}",
            where,
            key=True,
            hint=hint,
        )
    missing: set[tuple[int, str]] = set()
    for violation in violations:
        if violation.keyword == "required":
            # An alias repeats its node: what is missing there is missing once.
            identity = (id(violation.value), ",".join(violation.fragment["required"]))
            if identity in missing:
                continue
            missing.add(identity)
        if violation.keyword != "additionalProperties" and not reading.explains(violation.where):
            yield from _explain(document, violation)


def _explain(document: Document, violation: Violation) -> Iterator[Diagnostic]:
    keyword, fragment, where = violation.keyword, violation.fragment, violation.where
    if keyword == "required":
        yield from _missing(document, violation)
    elif keyword == "type":
        yield document.finding(
            codes.WRONG_TYPE,
            f"{_named(where)} takes {_types(fragment)}, not {_described(violation.value)}",
            where,
            hint=_type_hint(fragment, violation.value, where),
        )
    elif keyword == "enum":
        allowed = list(dict.fromkeys(str(item) for item in fragment["enum"]))
        yield document.finding(
            codes.NO_SUCH_VALUE,
            f"{_named(where)} cannot be {_described(violation.value)}",
            where,
            hint=did_you_mean(str(violation.value), allowed) or f"one of: {', '.join(allowed)}",
        )
    elif keyword == "pattern":
        yield document.finding(
            codes.MALFORMED,
            f"{_named(where)} cannot be {_described(violation.value)}",
            where,
            hint=_example(fragment, where) or fragment.get("description"),
        )
    else:
        yield document.finding(
            codes.OUT_OF_BOUNDS,
            f"{_named(where)} {_bounded(violation)}",
            where,
            hint=_example(fragment, where),
        )


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


def _bounded(violation: Violation) -> str:
    keyword, fragment = violation.keyword, violation.fragment
    limit = fragment.get(keyword)
    if keyword in _BOUNDS:
        return f"must be {_BOUNDS[keyword]} {limit:,}, not {_described(violation.value)}"
    if keyword in _LEAST:
        return "must not be empty" if limit == 1 else f"needs {limit} {_LEAST[keyword]}s or more"
    if keyword == "maxLength":
        return f"must not be longer than {limit} characters"
    if keyword == "uniqueItems":
        return "contains a duplicate"
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


def _type_hint(fragment: dict[str, Any], value: Any, where: Where) -> str | None:
    if (
        fragment["type"] == "string"
        and isinstance(value, int | float)
        and "pattern" not in fragment
    ):
        return f"put it in quotes: '{_described(value).removeprefix('the number ')}'"
    if fragment["type"] == "boolean" and str(value).lower() in ("yes", "on", "no", "off"):
        return f"write {'true' if str(value).lower() in ('yes', 'on') else 'false'}"
    return _example(fragment, where)


def _example(fragment: dict[str, Any], where: Where) -> str | None:
    examples = fragment.get("examples")
    if not examples:
        return None
    key = next((step for step in reversed(where) if isinstance(step, str)), "")
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
