"""The loading pipeline: file, text, data with positions, schema check, ``Topology``."""

from __future__ import annotations

import gc
import sys
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pdsno_cli.model.diagnostics import Diagnostic
from pdsno_cli.model.errors import UsageError
from pdsno_cli.spec import codes, schema
from pdsno_cli.spec.build import build
from pdsno_cli.spec.document import Document, excerpt, split_lines
from pdsno_cli.spec.files import read_file
from pdsno_cli.spec.interpolate import (
    SUSPECT,
    ReferenceProblem,
    UnsetVariable,
    is_reference,
    shell_variable,
    substitute,
)
from pdsno_cli.spec.reread import Readings, reread
from pdsno_cli.spec.scalars import resolve
from pdsno_cli.spec.secrets import SECRET_KEYS
from pdsno_cli.spec.yaml_nodes import Tree, parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pdsno_cli.spec.topology import Topology

STDIN = "-"
MAX_BYTES = 16 * 1024 * 1024
# Keys whose unknown value may be what a rule about missing entries would look for.
_SHAPING = frozenset(
    ("role", "region", "targets", "split", "into", "address", "host", "embedded", "devices", "mode")
) | frozenset(range(1000))


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """The result of loading a topology file.

    ``topology`` is None if too little of the file is valid. With errors it may be present without
    the invalid parts, so that the rules can check the rest: only ``lint.engine.require`` returns a
    topology that can run.
    """

    topology: Topology | None
    diagnostics: tuple[Diagnostic, ...]
    document: Document | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A file read as data with positions; ``document`` is None if it is not a YAML mapping.

    ``violations`` are those of the schema; the diagnostics include them.
    """

    document: Document | None
    diagnostics: tuple[Diagnostic, ...]
    violations: list[schema.Violation]


def load(
    path: Path | str,
    *,
    environment: Mapping[str, str] | None = None,
    raw: bytes | None = None,
) -> Loaded:
    """Load a topology file, ``-`` for standard input; UsageError if it cannot be read.

    References are replaced from ``environment``, where a variable that is not set is a finding.
    Without one (None) only their defaults are used, and all other values with a reference are
    unknown: the findings then do not depend on where the file is checked. ``raw`` is the content,
    where it is not to be read.
    """
    with no_collection():
        opened = open_file(path, schema.topology_shape(), environment, raw=raw)
        document, diagnostics = opened.document, opened.diagnostics
        if document is None:
            return Loaded(topology=None, diagnostics=diagnostics, document=None)
        fits = schema.prune(document, opened.violations)
        if document.unresolved:
            diagnostics = (*diagnostics, *unset(document, environment))
            document.drop_unresolved()
            fits = schema.prune(document, schema.topology_shape().violations(document.data))
        if not fits:
            return Loaded(topology=None, diagnostics=diagnostics, document=document)
        topology, built = build(document)
        diagnostics = (*diagnostics, *built)
        document.complete = not diagnostics and _SHAPING.isdisjoint(
            step for _, step in document.unresolved
        )
        return Loaded(topology=topology, diagnostics=diagnostics, document=document)


def open_file(
    path: Path | str,
    shape: schema.Shape,
    environment: Mapping[str, str] | None,
    *,
    raw: bytes | None = None,
) -> Opened:
    """Read a file, ``-`` for standard input, and check its shape; UsageError if unreadable.

    The shape is judged first, so values that are still unknown violate nothing. What ``unset``
    finds about them comes after it.
    """
    name, raw = _read(path) if raw is None else (str(path), raw)
    text, refusal = _decode(name, raw, shape)
    if refusal is not None:
        return Opened(document=None, diagnostics=(refusal,), violations=[])
    tree = parse(text, name)
    if tree.broken:
        from pdsno_cli.spec import fixes

        broken = [
            replace(item, fix=fixes.tabs(text, item.line)) if item.code == codes.SYNTAX else item
            for item in tree.diagnostics
        ]
        return Opened(document=None, diagnostics=tuple(broken), violations=[])
    if not isinstance(tree.root, dict) or not tree.root:
        refusal = _not_a_mapping(name, text, tree.root, shape)
        return Opened(document=None, diagnostics=(*tree.diagnostics, refusal), violations=[])
    document = Document(
        path=name, text=text, data=tree.root, positions=tree.positions, pinned=tree.pinned
    )
    document.here = environment is not None
    document.partial = tree.partial
    diagnostics = list(tree.diagnostics)
    readings = _interpolate(document, tree, environment)
    unknown = document.is_unresolved if document.unresolved else None
    found = shape.violations(document.data, unknown)
    if readings and reread(document.data, found, readings):
        found = shape.violations(document.data, unknown)
    if found:
        from pdsno_cli.spec.schema_errors import explain

        diagnostics += each_once(explain(document, found, shape))
        for identity, duplicate in tree.duplicates:
            if identity in document.overfull:
                diagnostics.remove(duplicate)
    return Opened(document=document, diagnostics=tuple(diagnostics), violations=found)


def read_topology(path: Path | str) -> bytes:
    """Return the content of a topology file, ``-`` for standard input; UsageError if unreadable."""
    return _read(path)[1]


def _read(path: Path | str) -> tuple[str, bytes]:
    """Return the name for findings, and the content: up to one byte more than the limit."""
    if str(path) == STDIN:
        if sys.stdin is None:
            raise UsageError("cannot read -: standard input is closed")
        return STDIN, sys.stdin.buffer.read(MAX_BYTES + 1)
    try:
        return str(path), read_file(Path(path), MAX_BYTES + 1)
    except (OSError, ValueError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) and exc.strerror else str(exc)
        raise UsageError(f"cannot read {path}: {reason}") from exc


def _decode(name: str, raw: bytes, shape: schema.Shape) -> tuple[str, Diagnostic | None]:
    if len(raw) > MAX_BYTES:
        kind = shape.kind.removeprefix("a ")
        message = f"larger than {MAX_BYTES // 1024 // 1024} MiB, the limit of a {kind} file"
        return "", Diagnostic(path=name, line=1, column=1, code=codes.LIMIT, message=message)
    try:
        return raw.decode("utf-8-sig"), None
    except UnicodeDecodeError as exc:
        before = split_lines(raw[: exc.start].decode("utf-8", "replace"))
        lines = split_lines(raw.decode("utf-8", "replace"))
        return "", Diagnostic(
            path=name,
            line=len(before),
            column=len(before[-1]) + 1,
            code=codes.ENCODING,
            message=f"not UTF-8: the byte 0x{raw[exc.start]:02x}",
            hint="save the file as UTF-8",
            excerpt=excerpt(lines, len(before)),
        )


def _not_a_mapping(name: str, text: str, root: Any, shape: schema.Shape) -> Diagnostic:
    if root is None or root == {}:
        message = f"the file is empty; {shape.kind} needs at least {shape.least}"
    else:
        kind = "a list" if isinstance(root, list) else "text"
        message = f"{shape.kind} is a mapping of keys to values, not {kind}"
    return Diagnostic(
        path=name,
        line=1,
        column=1,
        code=codes.SHAPE,
        message=message,
        hint=shape.advice,
        excerpt=excerpt(split_lines(text), 1),
    )


def _interpolate(document: Document, tree: Tree, environment: Mapping[str, str] | None) -> Readings:
    """Replace references to the environment, except in secrets; note those that are not known.

    Return what else a value may mean.
    """
    readings: Readings = {}
    by_id = {id(node): node for node in tree.pinned} if tree.references else {}
    for identity, entries in tree.references.items():
        node = by_id[identity]
        for where, plain in entries.items():
            try:
                text = substitute(node[where], environment)
            except ReferenceProblem as exc:
                if where not in SECRET_KEYS or not isinstance(exc, UnsetVariable):
                    document.unresolved[identity, where] = exc
                continue
            if where in SECRET_KEYS:
                continue
            scalar = resolve(text) if plain or is_reference(node[where]) else text
            node[where], other = (scalar, text) if plain else (text, scalar)
            if other is not node[where]:
                readings[identity, where] = other
    _foreign(document, tree)
    return readings


def _foreign(document: Document, tree: Tree) -> None:
    """Note the values that are a variable in the form of another tool, as problems of references."""
    text = document.text
    if ("%" not in text and text.count("$") == text.count("${")) or not SUSPECT.search(text):
        return
    for node in tree.pinned:
        entries = node.items() if isinstance(node, dict) else enumerate(node)
        for where, value in entries:
            problem = shell_variable(value) if isinstance(value, str) else None
            if problem is not None and where != "description":
                document.unresolved[id(node), where] = problem


def unset(document: Document, environment: Mapping[str, str] | None) -> Iterator[Diagnostic]:
    """Yield a finding for each value that the file uses and that could not be known.

    An unset variable is one only where an environment was given; an invalid reference always is.
    """
    by_id = {id(node): node for node in _used(document.data)}
    for (identity, where), problem in document.unresolved.items():
        node = by_id.get(identity)
        if node is None or (isinstance(node, dict) and (where not in node or _is_own(where))):
            continue
        if environment is None and isinstance(problem, UnsetVariable):
            continue
        entry = document.entry(node, where)
        assert entry is not None
        hint = "set it, or give a default: ${NAME:-default}"
        if problem.meant is not None:
            hint = f"write {problem.meant}"
        elif not isinstance(problem, UnsetVariable):
            hint = "for example: ${MQTT_HOST}, ${MQTT_HOST:-broker.example.net} or $${literal}"
        yield document.finding_at(entry[1], codes.VARIABLE, str(problem), hint=hint)


def _used(node: Any) -> Iterator[Any]:
    """Yield every container of the data outside the user's own keys."""
    yield node
    items = node.items() if isinstance(node, dict) else enumerate(node)
    for step, value in items:
        if isinstance(value, dict | list) and not _is_own(step):
            yield from _used(value)


def _is_own(step: str | int) -> bool:
    return isinstance(step, str) and step.startswith("x-")


def each_once(found: Iterable[Diagnostic]) -> Iterator[Diagnostic]:
    """Drop repetitions of a code at one position, which aliases and ranges give for each member.

    Several keys may be missing at one position: those findings are all kept.
    """
    seen: set[tuple[int, int, str]] = set()
    for item in found:
        identity = (item.line, item.column, item.code)
        if item.code == codes.MISSING_KEY or identity not in seen:
            seen.add(identity)
            yield item


@contextmanager
def no_collection() -> Iterator[None]:
    """Disable the cyclic garbage collector: loading allocates a large heap without garbage."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
