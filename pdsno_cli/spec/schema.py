"""Checks data against a JSON Schema, and removes the parts that violate it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any

from pdsno_cli.model.schemas import schema_path
from pdsno_cli.spec.references import without_references

if TYPE_CHECKING:
    from collections.abc import Callable

    from pdsno_cli.spec.document import Document, Where

_NAMELESS = "nameless"  # stands in for a missing name while the rest is checked
MOST_VIOLATIONS = 10_000  # in one round


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A schema keyword that a value violates; ``fragment`` is the schema that contains it."""

    where: Where
    keyword: str
    fragment: dict[str, Any]
    value: Any


@dataclass(frozen=True, kw_only=True)
class Shape:
    """The schema of one kind of file, and the words for its findings.

    ``kind`` is as in "a topology", ``least`` its required content, ``advice`` the hint for a file
    that is not a mapping.
    """

    schema: dict[str, Any]
    kind: str
    least: str
    advice: str

    @cached_property
    def _gate(self) -> Any:
        import jsonschema_rs

        return jsonschema_rs.Draft7Validator(self.schema)

    @cached_property
    def _validators(self) -> dict[int, tuple[Any, Any]]:
        """The validators of fragments by their ``id``, each with its fragment, which keeps the id."""
        return {}

    def resolve(self, fragment: dict[str, Any]) -> dict[str, Any]:
        """Return the schema that a fragment, perhaps a reference to another one, stands for."""
        while "$ref" in fragment:
            fragment = self.schema["definitions"][fragment["$ref"].rpartition("/")[2]]
        return fragment

    def fragment(self, where: Where) -> dict[str, Any]:
        """Return the schema of the value at a path, empty if there is none."""
        found = self.schema
        for step in where:
            if isinstance(step, int):
                inner = found.get("items", {})
            else:
                inner = found.get("properties", {}).get(step, found.get("additionalProperties"))
            if not isinstance(inner, dict):
                return {}
            found = self.resolve(inner)
        return found

    def home(self, key: str, value: Any) -> str | None:
        """Return where a key with its value belongs, as in ``controllers.ID.discovery``; None if nowhere."""
        level = [("", self.schema)]
        while level:
            below: list[tuple[str, dict[str, Any]]] = []
            for path, fragment in level:
                properties = fragment.get("properties", {})
                if path and key in properties and self.fits(value, properties[key]):
                    return path
                entries = fragment.get("additionalProperties")
                steps = properties | ({"ID": entries} if isinstance(entries, dict) else {})
                for name, inner in steps.items():
                    below.append((f"{path}.{name}".lstrip("."), self.resolve(inner)))
            level = below
        return None

    def fits(self, value: Any, fragment: dict[str, Any], *, shallow: bool = False) -> bool:
        """Return True if ``value`` fits a fragment; ``shallow`` judges only its type."""
        fragment = self.resolve(fragment)
        if shallow:
            return "object" in fragment.get("type", ()) and isinstance(value, dict)
        _, validator = self._validators.get(id(fragment), (None, None))
        if validator is None:
            import jsonschema_rs

            whole = {**fragment, "definitions": self.schema["definitions"]}
            validator = jsonschema_rs.Draft7Validator(whole)
            self._validators[id(fragment)] = fragment, validator
        return bool(validator.is_valid(value))

    def violations(
        self, data: Any, unknown: Callable[[Where], bool] | None = None
    ) -> list[Violation]:
        """Return the violations of ``data``, empty if it is valid.

        ``unknown`` judges a path: True if the value is not known yet, so that it violates nothing.
        jsonschema-rs checks in milliseconds. Only for invalid data is jsonschema imported, which is
        a hundred times slower and gives every violation.
        """
        if self._gate.is_valid(data):
            return []
        if unknown is not None and all(
            unknown(tuple(error.instance_path)) for error in self._gate.iter_errors(data)
        ):
            return []
        from jsonschema import Draft7Validator

        found = [
            Violation(
                where=tuple(error.absolute_path),
                keyword=str(error.validator),
                fragment=error.schema,
                value=error.instance,
            )
            for error in islice(Draft7Validator(self.schema).iter_errors(data), MOST_VIOLATIONS)
        ]
        return found if unknown is None else [item for item in found if not unknown(item.where)]


@cache
def schema() -> dict[str, Any]:
    """Return the topology schema, for a file whose references are replaced."""
    return without_references(json.loads(schema_path("topology").read_text("utf-8")))


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
    """Remove invalid parts from the data. Return True if the rest fits the schema.

    So the rules can check the rest of a file with a mistake in one place.
    """
    for _ in range(rounds):
        if not found:
            return True
        for violation in found:
            if violation.where or violation.keyword == "additionalProperties":
                _remove(document.data, violation)
            elif document.data.setdefault("name", _NAMELESS) is not _NAMELESS:
                return False  # no controllers: nothing is left to check
        unknown = document.is_unresolved if document.unresolved else None
        found = topology_shape().violations(document.data, unknown)
    return False


def unknown_keys(violation: Violation) -> list[str]:
    """Return the keys that an ``additionalProperties`` violation is about."""
    known = violation.fragment.get("properties", {})
    return [key for key in violation.value if key not in known and not key.startswith("x-")]


def _remove(data: Any, violation: Violation) -> None:
    if violation.keyword == "additionalProperties":
        for key in unknown_keys(violation):
            violation.value.pop(key, None)
        return
    container, step = data, violation.where[0]
    for next_step in violation.where[1:]:
        # The whole list is removed: removing one item would shift the positions of the others.
        if isinstance(next_step, int):
            break
        try:
            container = container[step]
        except (KeyError, TypeError):
            return  # already removed, through an alias or with its container
        step = next_step
    if isinstance(container, dict):
        container.pop(step, None)
