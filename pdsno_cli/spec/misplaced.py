"""Finds what an unknown key was meant to be: a misspelt name, or a key one level too high or too low.

Both explain other violations as well: the key that is missing where it should stand, a parent without
a value. Those are then not findings of their own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pdsno_cli.model.names import nearest, similarity
from pdsno_cli.spec.schema import unknown_keys
from pdsno_cli.spec.synonyms import SYNONYMS
from pdsno_cli.spec.yaml_brackets import SPACES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pdsno_cli.spec.document import Document, Where
    from pdsno_cli.spec.schema import Shape, Violation

_ALIKE = 0.8  # from here on a name is a typing error, even if it is a key of another level
# In flow style a key without ': ' after it is read as a key of no value.
_JOINED = re.compile(r"(?P<key>[\w-]+) *(?::|=>?|:=) *(?P<value>\S.*)")


@dataclass(slots=True)
class Reading:
    """What the unknown keys of a file mean.

    ``keys`` are the hints by the path of a key, each one finding; ``explained`` are paths, whose
    violations follow from such a key, at the path itself or anywhere below it. Of the ``certain`` keys
    it is known what they stand for.
    """

    keys: dict[Where, str] = field(default_factory=dict)
    explained: set[Where] = field(default_factory=set)
    certain: set[Where] = field(default_factory=set)

    def explains(self, where: Where) -> bool:
        """Return True if a violation at ``where`` follows from a misspelt or misplaced key."""
        return any(where[:depth] in self.explained for depth in range(1, len(where) + 1))


def read(document: Document, violations: Iterable[Violation], shape: Shape) -> Reading:
    """Return what the unknown keys mean, and note in the document what they stand for."""
    reading = Reading()
    reader = _Reader(document, shape, reading)
    found = list(violations)
    reader.section_among_entries()
    for where in dict.fromkeys(violation.where for violation in found):
        reader.entry_of_a_map(where)
    for violation in found:
        if violation.keyword == "additionalProperties" and not reading.explains(violation.where):
            reader.unknown(violation)
    return reading


class _Reader:
    def __init__(self, document: Document, shape: Shape, reading: Reading) -> None:
        self._document = document
        self._shape = shape
        self._reading = reading

    def entry_of_a_map(self, where: Where) -> None:
        """Explain a violation at or below an entry of regions or controllers whose name is a key.

        Such an entry is a key of the entry before it that is indented too little, or a key of the
        topology that is indented too much.
        """
        for depth in range(len(where)):
            at, name = where[:depth], where[depth]
            entries = self._shape.fragment(at).get("additionalProperties")
            if not isinstance(entries, dict) or not isinstance(name, str):
                continue
            if (*at, name) in self._reading.explained:
                return
            own = self._shape.fragment((*at, name)).get("properties", {})
            outer = self._shape.fragment(at[:-1]).get("properties", {}) if at else {}
            before = self._before(at, name, own) if name in own else None
            if before is not None and not self._is_entry(where[: depth + 1], own):
                self._note((*at, name), f"indent it under {before!r}", (*at, before, name))
                self._reading.explained.add((*at, name))
                if self._value((*at, before)) is None:
                    self._reading.explained.add((*at, before))
            elif name in outer and not self._document.has((*at[:-1], name)):
                self._note((*at, name), f"{name!r} belongs {_level(at[:-1])}", (*at[:-1], name))
                self._reading.explained.add((*at, name))
            return

    def section_among_entries(self) -> None:
        """Note a missing key of the topology that stands, without a value, among the entries of another.

        What follows it there are its own entries.
        """
        sections = self._shape.schema.get("properties", {})
        required = self._shape.schema.get("required", ())
        for outer in sections:
            entries = self._shape.fragment((outer,)).get("additionalProperties")
            keys = self._document.keys((outer,)) if isinstance(entries, dict) else []
            for name in [key for key in keys if key in sections and not self._document.has((key,))]:
                later = keys[keys.index(name) + 1 :]
                own = self._shape.fragment((name,)).get("properties", {})
                fits = name in required or bool(later and later[0] in own)
                if fits and self._value((outer, name)) is None:
                    self._note((outer, name), f"{name!r} belongs at the top level", (name,))
                    self._reading.explained.update((outer, key) for key in (name, *later))

    def unknown(self, violation: Violation) -> None:
        """Explain each unknown key of one mapping."""
        where, fragment = violation.where, violation.fragment
        known: list[str] = list(fragment.get("properties", {}))
        absent = [key for key in known if not self._document.has((*where, key))]
        keys = unknown_keys(violation)
        required = fragment.get("required", ())
        before = self._known_before(where, known)
        for key in keys:
            path = (*where, key)
            if path in self._reading.keys or self._reading.explains(path):
                continue
            parent = self._empty_parent(path, before.get(key))
            if parent is not None:
                self._under(where, parent, keys)
                continue
            if self._misprint(violation, key, known):
                continue
            value, properties = self._value(path), fragment.get("properties", {})
            fitting = [name for name in absent if self._shape.fits(value, properties[name])]
            near = self._near(key, fitting) or self._near(key, absent)
            if near is None:
                if self._elsewhere(path, known) is not None:
                    self._explain_after(path, value)
                    continue
                near = nearest(key, fitting) or nearest(key, absent)
                near = near or self._by_value(path, keys, required, fragment)
            if near is not None:
                self._note(path, f"did you mean {near!r}?", (*where, near))
                absent = [name for name in absent if name != near]
            elif not (self._entry_too_deep(path) or self._entry_too_high(path, before.get(key))):
                self._reading.keys[path] = self._nowhere(key, value, known)

    def _explain_after(self, path: Where, value: Any) -> None:
        """Explain the keys after one that belongs elsewhere and has no value: they are its own."""
        keys = self._document.keys(path[:-1]) if value is None else []
        later = keys[keys.index(str(path[-1])) + 1 :] if keys else []
        self._reading.explained.update((*path[:-1], name) for name in later)

    def _nowhere(self, key: str, value: Any, known: list[str]) -> str:
        """Return the hint for a key that stands for none of its mapping."""
        double = nearest(key, known)
        if double is not None:
            return f"{double!r} is there already: merge the two, or prefix your own with x-"
        home = self._shape.home(key, value)
        if home is not None:
            return f"{key!r} belongs in {home!r}"
        return f"known keys: {', '.join(known)}; prefix your own with x-"

    def _misprint(self, violation: Violation, key: str, known: list[str]) -> bool:
        """Note a key whose own letters say what it is: one joined to its value, ``<``, special spaces."""
        path = (*violation.where, key)
        if (joined := _JOINED.fullmatch(key)) and joined["key"] in known:
            name, value = joined["key"], joined["value"]
            hint = (
                f"{name!r} needs a space after its ':'"
                if value[0] in "[{"
                else f"write {name}: {value}"
            )
            self._note(path, hint, (*violation.where, name))
            return True
        stripped = key.strip(SPACES)
        inner = self._value(path)
        if re.fullmatch("<{1,3}:?", key):
            hint = "did you mean '<<'?"
        elif not violation.where and isinstance(inner, dict) and self._required(inner):
            hint = "remove it: its keys belong at the top level"
            self._document.claimed.update((name,) for name in inner)
        elif key.startswith(("x_", "X_", "X-", "x.")):
            hint = f"did you mean 'x-{key[2:]}'?"
        elif stripped != key:
            hint = f"{stripped!r} has a special space beside it: replace it by a plain one"
        else:
            return False
        self._reading.keys[path] = hint
        self._document.partial.add(id(violation.value))
        return True

    def _required(self, inner: dict[str, Any]) -> bool:
        """Return True if a mapping has a key that only a whole topology has to have."""
        return any(name in inner for name in self._shape.schema.get("required", ()))

    def _near(self, key: str, absent: list[str]) -> str | None:
        """Return the absent key that ``key`` certainly stands for."""
        plain = key.strip(SPACES).casefold().replace("-", "_")
        for name in absent:
            if plain == name or plain in SYNONYMS.get(name, ()):
                return name
        near = nearest(key, absent)
        return near if near is not None and similarity(key, near) >= _ALIKE else None

    def _entry_too_deep(self, path: Where) -> bool:
        """Note that a key without a value is an entry that is indented like the keys of the one before."""
        where, key = path[:-1], path[-1]
        entries = self._shape.fragment(where[:-1]).get("additionalProperties")
        value = self._value(path)
        if not where or not isinstance(entries, dict) or not (value is None or value == {}):
            return False
        if self._document.span(path, key=True).line == self._document.span(where, key=True).line:
            return False  # in flow style there is no indentation
        self._reading.keys[path] = f"to begin an entry, indent {key!r} like {where[-1]!r}"
        node = self._value(where)
        self._document.overfull.add(id(node))
        self._document.claimed.add((*where[:-1], key))
        return True

    def _entry_too_high(self, path: Where, before: str | None) -> bool:
        """Note that a key is an entry of the section before it that is indented too little."""
        if before is None or not self._document.keys((*path[:-1], before)):
            return False
        entries = self._shape.fragment((*path[:-1], before)).get("additionalProperties")
        value = self._value(path)
        fits = (
            isinstance(entries, dict)
            and isinstance(value, dict)
            and self._shape.fits(value, entries)
        )
        if fits:
            self._note(path, f"indent it under {before!r}", (*path[:-1], before, path[-1]))
        return fits

    def _by_value(
        self, path: Where, keys: list[str], required: Iterable[str], fragment: dict[str, Any]
    ) -> str | None:
        """Return the missing key that the only unknown one must be, since its value fits."""
        missing = [key for key in required if not self._document.has((*path[:-1], key))]
        if len(keys) != 1 or len(missing) != 1:
            return None
        fits = self._shape.fits(self._value(path), fragment["properties"][missing[0]])
        return missing[0] if fits else None

    def _elsewhere(self, path: Where, known: list[str]) -> str | None:
        """Note that a key belongs one level deeper or higher; return its name if so."""
        where, key = path[:-1], path[-1]
        assert isinstance(key, str)
        value = self._value(path)
        properties = self._shape.fragment(where).get("properties", {})
        for name in known:
            inner = self._shape.resolve(properties[name]).get("properties", {})
            taken = self._document.has((*where, name, key))
            if key in inner and not taken and self._shape.fits(value, inner[key]):
                self._note(
                    path, f"{key!r} belongs one level deeper, in {name!r}", (*where, name, key)
                )
                return key
        for depth in range(len(where) - 1, -1, -1):
            outer = where[:depth]
            if key in self._shape.fragment(outer).get("properties", {}):
                if self._document.has((*outer, key)):
                    return None
                self._note(path, f"{key!r} belongs {_level(outer)}", (*outer, key))
                return key
        return None

    def _known_before(self, where: Where, known: list[str]) -> dict[str, str]:
        """Return, for each key of a mapping, the last known key before it."""
        found: dict[str, str] = {}
        last = None
        for key in self._document.keys(where):
            if key in known:
                last = key
            elif last is not None:
                found[key] = last
        return found

    def _empty_parent(self, path: Where, before: str | None) -> str | None:
        """Return ``before`` if it has no value yet, and should have the key at ``path`` in it."""
        if before is None or self._value((*path[:-1], before)) is not None:
            return None
        inner = self._shape.fragment((*path[:-1], before))
        entries = inner.get("additionalProperties")
        fits = isinstance(entries, dict) and self._shape.fits(
            self._value(path), entries, shallow=True
        )
        return before if fits or path[-1] in inner.get("properties", {}) else None

    def _under(self, where: Where, parent: str, keys: list[str]) -> None:
        """Note one finding for the keys that should be indented under ``parent``."""
        unknown = set(keys)
        positions = self._document.keys(where)
        after = [key for key in positions[positions.index(parent) + 1 :] if key in unknown]
        self._note((*where, after[0]), f"indent it under {parent!r}", (*where, parent, after[0]))
        self._reading.explained.add((*where, parent))
        self._reading.explained.update((*where, key) for key in after)
        self._document.claimed.update((*where, parent, key) for key in after)

    def _before(self, at: Where, name: str, own: dict[str, Any]) -> str | None:
        """Return the last entry before ``name`` that is not named like a key itself."""
        last = None
        for key in self._document.keys(at):
            if key == name:
                break
            if key not in own:
                last = key
        return last

    def _note(self, path: Where, hint: str, stands_for: Where) -> None:
        self._reading.keys[path] = hint
        self._reading.certain.add(path)
        self._document.claimed.add(stands_for)

    def _value(self, where: Where) -> Any:
        node: Any = self._document.data
        for step in where:
            node = node.get(step) if isinstance(node, dict) else None
        return node

    def _is_entry(self, where: Where, own: dict[str, Any]) -> bool:
        """Return True if the value is a mapping of the keys that an entry has."""
        value = self._value(where)
        return isinstance(value, dict) and any(key in own for key in value)


def _level(where: Where) -> str:
    if not where:
        return "at the top level"
    return "one level higher, in " + repr(".".join(map(str, where)))
