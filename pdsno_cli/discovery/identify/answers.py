"""The objects that an agent answered, looked up by OID; values come out as clean, bounded text."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pdsno_cli.discovery.text import DESCRIPTION_CHARACTERS, clean, clean_text
from pdsno_cli.model.snmprec import parse_oid

Oid = tuple[int, ...]

ENTERPRISES: Oid = (1, 3, 6, 1, 4, 1)
_NOTHING = frozenset({"no such object", "no such instance", "end of mib view"})


@dataclass(frozen=True, slots=True)
class Object:
    """One value as SNMP gave it: the octets of a string, an integer, or the numbers of an OID."""

    value: bytes | int | Oid


class Answers:
    """All objects of one device."""

    def __init__(self, objects: Mapping[Oid, Object]) -> None:
        self._objects = objects
        self._order = sorted(objects)
        self._texts: tuple[str, ...] | None = None

    def __len__(self) -> int:
        return len(self._order)

    def text(self, oid: Oid) -> str | None:
        """Return the object at ``oid`` as text without control characters; None if it is empty."""
        found = self._objects.get(oid)
        if found is None:
            return None
        if isinstance(found.value, bytes):
            text = clean_text(found.value.strip(b"\0"), DESCRIPTION_CHARACTERS)
        elif isinstance(found.value, tuple):
            text = ".".join(map(str, found.value))
        else:
            text = str(found.value)
        text = clean(text, DESCRIPTION_CHARACTERS) if text else None
        return None if text is None or text.casefold() in _NOTHING else text

    def texts(self) -> tuple[str, ...]:
        """Return every object as text."""
        if self._texts is None:
            found = (self.text(oid) for oid in self._order)
            self._texts = tuple(text for text in found if text is not None)
        return self._texts

    def number(self, oid: Oid) -> int | None:
        """Return the integer at ``oid``; also of a string of digits, as some agents send it."""
        found = self._objects.get(oid)
        if found is None or isinstance(found.value, tuple):
            return None
        if isinstance(found.value, int):
            return found.value
        digits = found.value.strip()
        return int(digits) if digits.isdigit() and len(digits) < 20 else None

    def octets(self, oid: Oid) -> bytes | None:
        """Return the octets of the string at ``oid``."""
        found = self._objects.get(oid)
        return found.value if found is not None and isinstance(found.value, bytes) else None

    def oid(self, oid: Oid) -> Oid | None:
        """Return the OID that stands at ``oid``; also from dotted text, as some agents send it."""
        found = self._objects.get(oid)
        if found is None or isinstance(found.value, int):
            return None
        return (
            found.value
            if isinstance(found.value, tuple)
            else parse_oid(found.value.decode("latin-1"))
        )

    def below(self, prefix: Oid) -> Iterator[Oid]:
        """Yield the OIDs that start with ``prefix``, in order."""
        for index in range(bisect_left(self._order, prefix), len(self._order)):
            oid = self._order[index]
            if oid[: len(prefix)] != prefix:
                return
            yield oid

    def has(self, prefix: Oid) -> bool:
        """Return True if an object stands at or below ``prefix``."""
        return next(self.below(prefix), None) is not None


def enterprise(text: str) -> Oid:
    """Return an OID of our tables: below 1.3.6.1.4.1, unless it starts with ``1.``."""
    numbers = tuple(int(part) for part in text.split("."))
    return (
        numbers
        if numbers[0] == 1 and numbers[1:2] != () and text.startswith("1.")
        else ENTERPRISES + numbers
    )
