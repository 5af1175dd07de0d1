"""Whether a document's data has the shape that a schema asks for, and if not, where."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any

from pdsno_cli.model.schemas import schema_path

if TYPE_CHECKING:
    from pdsno_cli.spec.document import Document, Where

_NAMELESS = "nameless"  # stands in for a name that is missing, while the rest is judged
MOST_VIOLATIONS = 10_000  # in one round; nobody reads on after that


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A schema keyword that a value goes against; ``fragment`` is the schema that holds it."""

    where: Where
    keyword: str
    fragment: dict[str, Any]
    value: Any


@dataclass(frozen=True, kw_only=True)
class Shape:
    """The shape of one kind of file, and how to speak of it.

    ``kind`` is as in "a topology"; ``least`` is what it has at least, ``advice`` where to read on.
    """

    schema: dict[str, Any]
    kind: str
    least: str
    advice: str

    @cached_property
    def _gate(self) -> Any:
        import jsonschema_rs

        return jsonschema_rs.Draft7Validator(self.schema)

    def violations(self, data: Any) -> list[Violation]:
        """Return what ``data`` has against the schema; empty when all is well.

        jsonschema-rs says in milliseconds that all is well; only where it is not is jsonschema, a
        hundred times slower, imported to say what.
        """
        if self._gate.is_valid(data):
            return []
        from jsonschema import Draft7Validator

        return [
            Violation(
                where=tuple(error.absolute_path),
                keyword=str(error.validator),
                fragment=dict(error.schema),
                value=error.instance,
            )
            for error in islice(Draft7Validator(self.schema).iter_errors(data), MOST_VIOLATIONS)
        ]


@cache
def schema() -> dict[str, Any]:
    """Return the topology schema."""
    loaded: dict[str, Any] = json.loads(schema_path("topology").read_text("utf-8"))
    return loaded


@cache
def topology_shape() -> Shape:
    """Return the shape of a topology."""
    return Shape(
        schema=schema(),
        kind="a topology",
        least="a name and its controllers",
        advice="docs/topology.md begins with a small one",
    )


def prune(document: Document, found: list[Violation], rounds: int = 8) -> bool:
    """Take out of the data what the schema refuses; return whether the rest has its shape.

    So the rules can still judge the rest of a file that has a mistake in one place.
    """
    for _ in range(rounds):
        if not found:
            return True
        for violation in found:
            if violation.where or violation.keyword == "additionalProperties":
                _take_out(document.data, violation)
            elif document.data.setdefault("name", _NAMELESS) is not _NAMELESS:
                return False  # no controllers: nothing is left to judge
        found = topology_shape().violations(document.data)
    return False


def unknown_keys(violation: Violation) -> list[str]:
    """Return the keys that an ``additionalProperties`` violation is about."""
    known = violation.fragment.get("properties", {})
    return [key for key in violation.value if key not in known and not key.startswith("x-")]


def _take_out(data: Any, violation: Violation) -> None:
    if violation.keyword == "additionalProperties":
        for key in unknown_keys(violation):
            violation.value.pop(key, None)
        return
    holder, step = data, violation.where[0]
    for next_step in violation.where[1:]:
        # An item is not taken out of a list, which would shift the places of the items after it:
        # the whole list goes.
        if isinstance(next_step, int):
            break
        try:
            holder = holder[step]
        except (KeyError, TypeError):
            return  # already gone, by an alias or with what held it
        step = next_step
    if isinstance(holder, dict):
        holder.pop(step, None)
