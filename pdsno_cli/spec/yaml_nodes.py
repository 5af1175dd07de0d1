"""Reads YAML text into plain data with positions, from libyaml's events.

PyYAML's composer and constructor are six times slower, accept duplicate keys and lose the positions
of keys.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from pdsno_cli.model.diagnostics import Diagnostic
from pdsno_cli.spec import codes
from pdsno_cli.spec.document import Positions, excerpt, pack, split_lines, unpack
from pdsno_cli.spec.scalars import CONSTANTS, NUMBER_STARTS, resolve

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_DEPTH = 64
MAX_VALUES = 2_000_000  # an alias counts as often as it is used: a 'billion laughs' ends here
MAX_FINDINGS = 1_000  # then reading stops

_TAGS = "tag:yaml.org,2002:"
_SCALAR_TAGS = frozenset(_TAGS + name for name in ("int", "float", "bool", "null"))
# The pure loader gives the same events, ten times slower.
_ODD_KEYS = frozenset((*CONSTANTS, "<<"))
_PARSER: Any = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader

# What a container expects next, if not the value of a key: a key of the mapping, the value of its
# ``<<``, a value to discard, or an item of the sequence.
_NEXT_KEY, _MERGE, _DISCARD, _ITEM = object(), object(), object(), object()


class _StopError(Exception):
    """Reading cannot continue; the last finding is the reason."""


@dataclass(slots=True, kw_only=True)
class Tree:
    """The content of a text; ``broken`` is True if reading stopped early, with a finding.

    ``positions`` is keyed by the ``id`` of each container, all of which ``pinned`` keeps alive.
    ``references`` are the texts with a ``$`` before a brace: by ``id`` of the container, then
    by key or index, True if written without quotes. ``partial`` are the ids of the mappings whose
    ``<<`` was refused: what it would have added is not known. ``duplicates`` are the findings
    on keys that their mapping has already.
    """

    root: Any = None
    broken: bool = False
    positions: dict[int, Positions] = field(default_factory=dict)
    pinned: list[Any] = field(default_factory=list)
    references: dict[int, dict[str | int, bool]] = field(default_factory=dict)
    partial: set[int] = field(default_factory=set)
    duplicates: list[tuple[int, Diagnostic]] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)


@dataclass(slots=True)
class _Frame:
    """A mapping or sequence that is still open.

    ``key`` is that of the next value; ``size`` counts the values of nested containers.
    """

    node: Any
    positions: Positions
    key: Any
    position: int
    anchor: str | None
    size: int = 1
    merges: list[dict[str, Any]] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Anchor:
    """The value of an alias; ``open`` while it is still being read."""

    value: Any = None
    size: int = 0
    plain: bool = False
    open: bool = False


def parse(text: str, path: str) -> Tree:
    """Return the data of ``text``, with findings if it is invalid YAML or over a limit."""
    reader = _Reader(text, path)
    try:
        reader.read()
    except _StopError:
        reader.tree.broken = True
    except yaml.YAMLError as exc:
        from pdsno_cli.spec.yaml_errors import explain

        reader.tree.broken = True
        reader.tree.diagnostics.append(explain(exc, path, text))
    return reader.tree


class _Reader:
    """One pass over the events of one text."""

    def __init__(self, text: str, path: str) -> None:
        self.tree = Tree()
        self._text = text
        self._path = path
        self._stack: list[_Frame] = []
        self._anchors: dict[str, _Anchor] = {}
        self._lines: list[str] | None = None

    def read(self) -> None:  # noqa: C901  # one loop without calls: it runs for every scalar
        """Consume all events. Scalars, nearly all of them, are handled in the loop itself."""
        get: Callable[[], Any] = _PARSER(self._text).get_event
        stack = self._stack
        interpolates = "${" in self._text
        resolved: dict[str, Any] = {}
        frame: _Frame | None = None
        while True:
            event = get()
            kind = type(event)
            if kind is not ScalarEvent:
                if kind is StreamEndEvent:
                    return
                self._structure(event)
                frame = stack[-1] if stack else None
                continue
            start = event.start_mark
            position = (start.line << 25 | start.column) << 25 | event.end_mark.index - start.index
            if frame is None or event.anchor is not None or event.tag is not None:
                self._special(event, position)
                continue
            value = event.value
            plain = event.implicit[0]
            key = frame.key
            if key is _NEXT_KEY:
                if value in frame.node or value in _ODD_KEYS or value[0] in NUMBER_STARTS:
                    self._key(frame, value, position, plain=plain)
                    continue
                frame.key = value
                frame.positions += (value, position)
                continue
            if plain:
                if value in resolved:
                    value = resolved[value]
                else:
                    value = resolved[value] = resolve(value)
            if key is _MERGE or key is _DISCARD or (interpolates and "${" in event.value):
                self._put(value, position, plain=plain)
                continue
            frame.positions.append(position)
            if key is _ITEM:
                frame.node.append(value)
            else:
                frame.node[key] = value
                frame.key = _NEXT_KEY

    def _structure(self, event: Any) -> None:
        kind = type(event)
        if kind is MappingEndEvent or kind is SequenceEndEvent:
            self._close()
        elif kind is MappingStartEvent:
            self._open(event, {}, _NEXT_KEY)
        elif kind is SequenceStartEvent:
            self._open(event, [], _ITEM)
        elif kind is AliasEvent:
            self._alias(event)
        elif kind is DocumentStartEvent and self.tree.pinned:
            self._stop(
                codes.SHAPE,
                "a second document starts here; a topology is one document",
                _position(event),
                "put it into a separate file",
            )

    def _open(self, event: Any, node: Any, key: object) -> None:
        start = event.start_mark
        position = (start.line << 25 | start.column) << 25 | 1  # as ``pack``, without the call
        if len(self._stack) >= MAX_DEPTH:
            self._stop(codes.LIMIT, f"nested more than {MAX_DEPTH} levels deep", position)
        if self._stack and self._stack[-1].key is _NEXT_KEY:
            self._template(event.start_mark.line)
            self._stop(codes.YAML_FEATURE, "a key must be text, not a mapping or a list", position)
        if event.tag not in (None, "!"):
            self._tag(event.tag, position)
        positions: Positions = []
        self.tree.positions[id(node)] = positions
        self.tree.pinned.append(node)
        if event.anchor is not None:
            self._anchors[event.anchor] = _Anchor(open=True)
        self._stack.append(_Frame(node, positions, key, position, event.anchor))

    def _template(self, line: int) -> None:
        """Stop if the mapping that is used as a key was meant as a template's braces."""
        from pdsno_cli.spec.yaml_slips import template

        lines = split_lines(self._text)
        slip = template(lines[line], line) if line < len(lines) else None
        if slip is not None:
            position = pack(slip.line, slip.column, slip.length)
            self._stop(codes.SYNTAX, f"not YAML: {slip.message}", position, slip.hint)

    def _close(self) -> None:
        frame = self._stack.pop()
        frame.size += len(frame.node)
        for source in frame.merges or ():
            self._merge(frame, source)
        if frame.anchor is not None:
            self._anchors[frame.anchor] = _Anchor(value=frame.node, size=frame.size)
        self._put(frame.node, frame.position, size=frame.size)

    def _put(self, value: Any, position: int, *, plain: bool = False, size: int = 0) -> None:
        """Add a finished value to the innermost open container."""
        if not self._stack:
            self.tree.root = value
            return
        frame = self._stack[-1]
        frame.size += size
        if frame.size > MAX_VALUES:
            self._stop(
                codes.LIMIT,
                f"holds more than {MAX_VALUES:,} values, each alias counted in full",
                position,
            )
        where = frame.key
        if where is _ITEM:
            where = len(frame.node)
            frame.node.append(value)
        else:
            frame.key = _NEXT_KEY
            if where is _MERGE:
                self._note_merge(frame, value, position)
            if where is _MERGE or where is _DISCARD:
                return
            frame.node[where] = value
        frame.positions.append(position)
        if type(value) is str and "${" in value:
            self.tree.references.setdefault(id(frame.node), {})[where] = plain

    def _key(self, frame: _Frame, key: str, position: int, *, plain: bool) -> None:
        merge = plain and key == "<<"
        if plain and not merge and not isinstance(resolve(key), str):
            self._key_without_text(key, position)
        if merge and frame.merges is None:
            frame.key = _MERGE
        elif merge or key in frame.node:
            first = "" if merge else _at(frame.positions[frame.positions.index(key) + 1])
            self._report(
                codes.DUPLICATE_KEY,
                f"duplicate key {key!r}{first}",
                position,
                "write << once, with a list of aliases"
                if merge
                else "rename or remove one of the two",
            )
            self.tree.duplicates.append((id(frame.node), self.tree.diagnostics[-1]))
            if merge or frame.node[key] is not None:
                frame.key = _DISCARD
            else:  # the first has no value: it is the one too many, and the file goes on here
                frame.positions += (key, position)
                frame.key = key
        else:
            frame.positions += (key, position)
            frame.key = key

    def _key_without_text(self, key: str, position: int) -> None:
        """Report a key that YAML does not read as text, except within the user's own keys."""
        if any(isinstance(frame.key, str) and frame.key.startswith("x-") for frame in self._stack):
            return
        kind = "nothing" if resolve(key) is None else key
        hint = f'put it in quotes: "{key}"' if key else "write a name before the ':'"
        self._report(codes.YAML_FEATURE, f"a key must be text, not {kind}", position, hint)

    def _special(self, event: Any, position: int) -> None:
        """Handle a scalar that has a tag or an anchor, or that is the whole document."""
        plain = event.implicit[0]
        value: Any = event.value
        if plain or event.tag in _SCALAR_TAGS:
            value = resolve(value)
        if event.tag not in (None, "!"):
            self._tag(event.tag, position)
        if event.anchor is not None:
            self._anchors[event.anchor] = _Anchor(value=value, plain=plain)
        frame = self._stack[-1] if self._stack else None
        if frame is not None and frame.key is _NEXT_KEY:
            self._key(frame, event.value, position, plain=plain)
        else:
            self._put(value, position, plain=plain)

    def _alias(self, event: Any) -> None:
        position = _position(event)
        anchor = self._anchors.get(event.anchor)
        if anchor is None:
            self._stop(
                codes.YAML_FEATURE,
                f"the alias *{event.anchor} has no anchor before it",
                position,
                self._anchor_hint(event.anchor),
            )
        if anchor.open:
            self._stop(
                codes.YAML_FEATURE, f"the alias *{event.anchor} is inside its own anchor", position
            )
        frame = self._stack[-1]
        if frame.key is _NEXT_KEY:
            if not isinstance(anchor.value, str):
                self._stop(codes.YAML_FEATURE, "a key must be text", position)
            self._key(frame, anchor.value, position, plain=False)
        else:
            self._put(anchor.value, position, plain=anchor.plain, size=anchor.size)

    def _anchor_hint(self, name: str) -> str:
        """Return what to write for an alias without an anchor: a similar one, or where its own belongs."""
        from pdsno_cli.model.names import nearest

        found = nearest(name, self._anchors)
        if found is not None:
            return f"did you mean *{found}?"
        if re.search(rf"(?:^|[\s\[{{,])&{re.escape(name)}(?:\s|$)", self._text):
            return f"move the value with &{name} above this line"
        return f"write &{name} before the value that it stands for, above this line"

    def _note_merge(self, frame: _Frame, value: Any, position: int) -> None:
        sources = value if isinstance(value, list) else [value]
        if not all(isinstance(source, dict) for source in sources):
            self._report(
                codes.YAML_FEATURE,
                "<< takes a mapping, or a list of mappings",
                position,
                self._merge_hint(value),
            )
            self.tree.partial.add(id(frame.node))
            return
        frame.merges = (frame.merges or []) + sources

    def _merge_hint(self, value: Any) -> str:
        known = [name for name, anchor in self._anchors.items() if isinstance(anchor.value, dict)]
        if isinstance(value, str) and value.strip("*& ") in known:
            return f"write <<: *{value.strip('*& ')}"
        return f"for example: <<: *{next(iter(known), 'defaults')}"

    def _merge(self, frame: _Frame, source: dict[str, Any]) -> None:
        """Add the entries of ``source`` that the mapping does not have, with their positions."""
        positions = self.tree.positions[id(source)]
        references = self.tree.references.get(id(source), {})
        for key, at_key, at_value in zip(
            positions[::3], positions[1::3], positions[2::3], strict=True
        ):
            if key in frame.node:
                continue
            frame.node[key] = source[key]
            frame.positions += (key, at_key, at_value)
            if key in references:
                self.tree.references.setdefault(id(frame.node), {})[key] = references[key]

    def _tag(self, tag: str, position: int) -> None:
        name = "!!" + tag.removeprefix(_TAGS) if tag.startswith(_TAGS) else tag
        self._report(codes.YAML_FEATURE, f"unsupported tag {name}", position, "leave it out")

    def _report(self, code: str, message: str, position: int, hint: str | None = None) -> None:
        line, column, length = unpack(position)
        if self._lines is None:
            self._lines = split_lines(self._text)
        self.tree.diagnostics.append(
            Diagnostic(
                path=self._path,
                line=line + 1,
                column=column + 1,
                end_column=column + 1 + max(length, 1),
                code=code,
                message=message,
                hint=hint,
                excerpt=excerpt(self._lines, line + 1),
            )
        )
        if len(self.tree.diagnostics) > MAX_FINDINGS:
            raise _StopError

    def _stop(self, code: str, message: str, position: int, hint: str | None = None) -> NoReturn:
        self._report(code, message, position, hint)
        raise _StopError


def _position(event: Any) -> int:
    """Return the packed position of an event; of a container, only where it starts."""
    start, end = event.start_mark, event.end_mark
    length = end.index - start.index if isinstance(event, AliasEvent) else 1
    return pack(start.line, start.column, length)


def _at(position: int) -> str:
    line, column, _ = unpack(position)
    return f", first at line {line + 1}, column {column + 1}"
