"""A YAML file as plain data, with the position of every key and value."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pdsno_cli.model.diagnostics import Diagnostic, Edit, Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pdsno_cli.spec.interpolate import ReferenceProblem

Where = tuple[str | int, ...]

# The line breaks that libyaml counts; str.splitlines knows more and would shift every excerpt.
_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
_BITS = 25  # a file has at most 2**24 characters
_MASK = (1 << _BITS) - 1

# The positions of a container's entries. A mapping has three items for each entry: the key and the
# packed positions of key and value; a sequence has one, the position of the value. The keys are part
# of it because entries may be removed from the data before a topology is built.
Positions = list[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A range in one line of a file, counted from 1; ``end_column`` is one past the last."""

    line: int
    column: int
    end_column: int


def pack(line: int, column: int, length: int) -> int:
    """Return a position, counted from 0, as one integer, since a large file has hundreds of thousands."""
    return (line << _BITS | column) << _BITS | length


def unpack(position: int) -> tuple[int, int, int]:
    """Return line, column and length of a packed position, counted from 0."""
    return position >> 2 * _BITS, position >> _BITS & _MASK, position & _MASK


@dataclass(slots=True, kw_only=True)
class Document:
    """One parsed file.

    ``data`` is the top mapping. ``positions`` is keyed by the ``id`` of each container of ``data``,
    all of which ``pinned`` keeps alive. ``complete`` is False once an invalid part of the file was
    left out, so that rules about missing keys are skipped. ``claimed`` are missing entries that a
    misspelt or misplaced key stands for. ``unresolved`` are the values, by ``id`` of their container
    and key or index, with a reference that could not be replaced, and why. ``here`` is True if this
    machine counts, and not only the file. ``partial`` are the ids of mappings whose ``<<`` was refused,
    ``overfull`` of those whose duplicate keys are those of another entry.
    """

    path: str
    text: str
    data: dict[str, Any]
    positions: dict[int, Positions]
    complete: bool = True
    pinned: list[Any] = field(default_factory=list)
    claimed: set[Where] = field(default_factory=set)
    unresolved: dict[tuple[int, str | int], ReferenceProblem] = field(default_factory=dict)
    here: bool = False
    partial: set[int] = field(default_factory=set)
    overfull: set[int] = field(default_factory=set)
    _lines: list[str] | None = None
    _index: dict[int, dict[str, int]] = field(default_factory=dict)

    @property
    def lines(self) -> Sequence[str]:
        """The lines of the source, as libyaml counts them."""
        if self._lines is None:
            self._lines = split_lines(self.text)
        return self._lines

    def has(self, where: Where) -> bool:
        """Return True if the file has an entry at ``where``, or what may stand for it.

        That is a misspelt key, or a ``<<`` that was refused.
        """
        if where in self.claimed:
            return True
        _, depth, node = self._find(where)
        return depth == len(where) or id(node) in self.partial

    def span(self, where: Where, *, key: bool = False, flow: bool = False) -> Span:
        """Return the span of the value at ``where``, or of its key.

        The span of a mapping or sequence is that of its key, if it has one, or with ``flow`` its own
        where it begins in the line of its key; of a missing entry, that of the nearest enclosing
        entry.
        """
        entry, depth, node = self._find(where)
        if entry is None:
            return self._span(0)
        at_key, at_value = entry
        by_key = key or depth < len(where) or isinstance(node, dict | list)
        if flow and not key and at_key is not None and unpack(at_key)[0] == unpack(at_value)[0]:
            by_key = False
        return self._span(at_key if by_key and at_key is not None else at_value)

    def place(self, where: Where) -> int:
        """Return a number that orders paths by their place in the file."""
        entry = self._find(where)[0]
        return 0 if entry is None else entry[1] if entry[0] is None else entry[0]

    def finding(
        self,
        code: str,
        message: str,
        where: Where,
        *,
        key: bool = False,
        flow: bool = False,
        severity: Severity = Severity.ERROR,
        hint: str | None = None,
        fix: tuple[Edit, ...] = (),
    ) -> Diagnostic:
        """Return a finding about the value at ``where``, or about its key (see ``span``)."""
        span = self.span(where, key=key, flow=flow)
        return self._finding(span, code, message, severity=severity, hint=hint, fix=fix)

    def replacement(self, where: Where, text: str, *, key: bool = False) -> Edit:
        """Return the edit that replaces the value at ``where``, or its key, by ``text``."""
        span = self.span(where, key=key)
        return Edit(
            line=span.line,
            column=span.column,
            end_line=span.line,
            end_column=span.end_column,
            text=text,
        )

    def finding_at(
        self, position: int, code: str, message: str, *, hint: str | None = None
    ) -> Diagnostic:
        """Return a finding about a packed position."""
        return self._finding(self._span(position), code, message, hint=hint)

    def _finding(
        self,
        span: Span,
        code: str,
        message: str,
        *,
        severity: Severity = Severity.ERROR,
        hint: str | None = None,
        fix: tuple[Edit, ...] = (),
    ) -> Diagnostic:
        return Diagnostic(
            path=self.path,
            line=span.line,
            column=span.column,
            end_column=span.end_column,
            fix=fix,
            code=code,
            message=message,
            severity=severity,
            hint=hint,
            excerpt=excerpt(self.lines, span.line),
        )

    def _span(self, position: int) -> Span:
        line, column, length = unpack(position)
        source = self.lines[line] if line < len(self.lines) else ""
        end = min(column + max(length, 1), max(len(source), column + 1))
        return Span(line=line + 1, column=column + 1, end_column=end + 1)

    def _find(self, where: Where) -> tuple[tuple[int | None, int] | None, int, Any]:
        """Return the positions of the deepest entry on the way to ``where``, its depth and value."""
        found: tuple[int | None, int] | None = None
        node: Any = self.data
        for depth, step in enumerate(where):
            entry = self.entry(node, step)
            if entry is None:
                return found, depth, node
            found = entry
            try:
                node = node[step]
            except (KeyError, IndexError):  # removed since; its position is still known
                return found, depth + 1, None
        return found, len(where), node

    def keys(self, where: Where) -> list[str]:
        """Return the keys of the mapping at ``where`` in the order of the file, none without one."""
        node = self._find(where)[2]
        found: list[str] = self.positions[id(node)][::3] if isinstance(node, dict) else []
        return found

    def is_written(self, where: Where) -> bool:
        """Return True if the value at ``where`` has a text, and is not what follows from none."""
        entry = self._find(where)[0]
        return entry is not None and unpack(entry[1])[2] > 0

    def is_unresolved(self, where: Where) -> bool:
        """Return True if the value at ``where`` holds a reference that was not replaced."""
        node: Any = self.data
        for step in where[:-1]:
            try:
                node = node[step]
            except (KeyError, IndexError, TypeError):
                return False
        return bool(where) and (id(node), where[-1]) in self.unresolved

    def drop_unresolved(self) -> None:
        """Remove the values with a reference that was not replaced from the data.

        Of a list the other items stay, except where their order means something (``fallbacks``).
        """
        by_id = {id(node): node for node in self.pinned}
        lists: set[int] = set()
        for identity, step in self.unresolved:
            node = by_id[identity]
            if isinstance(node, dict):
                node.pop(step, None)
            else:
                lists.add(identity)
        for identity in lists:
            node, positions = by_id[identity], self.positions[identity]
            kept = [n for n in range(len(node)) if (identity, n) not in self.unresolved]
            node[:], positions[:] = [node[n] for n in kept], [positions[n] for n in kept]
        if lists:
            for node in self.pinned:
                if isinstance(node, dict):
                    for step in [key for key, value in node.items() if id(value) in lists]:
                        if not node[step] or step == "fallbacks":
                            del node[step]

    def entry(self, node: Any, step: str | int) -> tuple[int | None, int] | None:
        """Return the packed positions of the key, if any, and the value of an entry of ``node``."""
        positions = self.positions.get(id(node))
        if positions is None:
            return None
        if isinstance(node, list):
            known = isinstance(step, int) and 0 <= step < len(positions)
            return (None, positions[step]) if known else None  # type: ignore[index]  # known: an int
        index = self._index.get(id(node))
        if index is None:
            index = {key: 3 * number for number, key in enumerate(positions[::3])}
            self._index[id(node)] = index
        at = index.get(step) if isinstance(step, str) else None
        return None if at is None else (positions[at + 1], positions[at + 2])

    def alias(self, node: dict[str, Any], key: str, other: str) -> None:
        """Give the entry ``other`` of a mapping the position of its entry ``key``."""
        entry = self.entry(node, key)
        if entry is not None and self.entry(node, other) is None:
            self.positions[id(node)].extend((other, *entry))
            self._index.pop(id(node), None)


def split_lines(text: str) -> list[str]:
    """Return the lines of ``text`` as libyaml counts them."""
    return _BREAK.split(text)


def line_starts(text: str) -> list[int]:
    """Return the offset of each line's first character."""
    return [0, *(match.end() for match in _BREAK.finditer(text))]


def excerpt(lines: Sequence[str], line: int) -> str | None:
    """Return the source line ``line``, counted from 1, up to 400 characters."""
    return lines[line - 1][:400] if 0 < line <= len(lines) else None
