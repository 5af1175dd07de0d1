"""The one loading pipeline: file, text, data with places, schema, ``Topology``."""

from __future__ import annotations

import gc
import os
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pdsno_cli.model.diagnostics import Diagnostic
from pdsno_cli.model.errors import UsageError
from pdsno_cli.spec import codes, schema
from pdsno_cli.spec.build import build
from pdsno_cli.spec.document import Document, excerpt, split_lines
from pdsno_cli.spec.interpolate import ReferenceProblem, substitute
from pdsno_cli.spec.scalars import resolve
from pdsno_cli.spec.schema_errors import explain
from pdsno_cli.spec.secrets import SECRET_KEYS
from pdsno_cli.spec.yaml_nodes import Tree, parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pdsno_cli.spec.topology import Topology

STDIN = "-"
MAX_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What came of a file.

    ``topology`` is None where too little of the file can be understood. Where there are errors
    it may still be there, without the parts that are wrong, for the rules to judge the rest:
    only ``lint.engine.require`` promises a topology to run.
    """

    topology: Topology | None
    diagnostics: tuple[Diagnostic, ...]
    document: Document | None


def load(path: Path | str) -> Loaded:
    """Load a topology file, ``-`` for standard input; UsageError when it cannot be read."""
    name, raw = _read(path)
    with no_collection():
        return _load(name, raw)


def _load(name: str, raw: bytes) -> Loaded:
    text, refusal = _decode(name, raw)
    if refusal is not None:
        return Loaded(topology=None, diagnostics=(refusal,), document=None)
    tree = parse(text, name)
    if tree.broken:
        return Loaded(topology=None, diagnostics=tuple(tree.diagnostics), document=None)
    if not isinstance(tree.root, dict) or not tree.root:
        refusal = _not_a_mapping(name, text, tree.root)
        return Loaded(topology=None, diagnostics=(*tree.diagnostics, refusal), document=None)
    document = Document(path=name, text=text, data=tree.root, places=tree.places, held=tree.held)
    diagnostics = [*tree.diagnostics, *_interpolate(document, tree)]
    found = schema.violations(document.data)
    diagnostics += _each_once(item for violation in found for item in explain(document, violation))
    if not schema.prune(document, found):
        return Loaded(topology=None, diagnostics=tuple(diagnostics), document=document)
    topology, built = build(document)
    diagnostics += built
    document.complete = not diagnostics
    return Loaded(topology=topology, diagnostics=tuple(diagnostics), document=document)


def _read(path: Path | str) -> tuple[str, bytes]:
    """Return the name that findings carry, and one byte more than the limit at most."""
    if str(path) == STDIN:
        if sys.stdin is None:
            raise UsageError("cannot read -: standard input is closed")
        return STDIN, sys.stdin.buffer.read(MAX_BYTES + 1)
    try:
        with Path(path).open("rb") as file:
            return str(path), file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) and exc.strerror else str(exc)
        raise UsageError(f"cannot read {path}: {reason}") from exc


def _decode(name: str, raw: bytes) -> tuple[str, Diagnostic | None]:
    if len(raw) > MAX_BYTES:
        message = f"larger than {MAX_BYTES // 1024 // 1024} MiB, which no topology needs"
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


def _not_a_mapping(name: str, text: str, root: Any) -> Diagnostic:
    if root is None or root == {}:
        message = "the file is empty; a topology needs at least a name and its controllers"
    else:
        kind = "a list" if isinstance(root, list) else "text"
        message = f"a topology is a mapping of keys to values, not {kind}"
    return Diagnostic(
        path=name,
        line=1,
        column=1,
        code=codes.SHAPE,
        message=message,
        hint="docs/topology.md begins with a small one",
        excerpt=excerpt(split_lines(text), 1),
    )


def _interpolate(document: Document, tree: Tree) -> list[Diagnostic]:
    """Replace the references to the environment, but for those that name a secret."""
    diagnostics = []
    by_id = {id(node): node for node in tree.held} if tree.references else {}
    for identity, entries in tree.references.items():
        node = by_id[identity]
        for where, plain in entries.items():
            if where in SECRET_KEYS:
                continue
            try:
                text = substitute(node[where], os.environ)
            except ReferenceProblem as exc:
                entry = document.entry(node, where)
                assert entry is not None
                hint = "set it, or give a default: ${NAME:-default}"
                diagnostics.append(
                    document.finding_at(entry[1], codes.VARIABLE, str(exc), hint=hint)
                )
                if isinstance(node, dict):
                    del node[where]  # nobody can judge what it would have been
                continue
            node[where] = resolve(text) if plain else text
    return diagnostics


def _each_once(found: Iterable[Diagnostic]) -> Iterator[Diagnostic]:
    """Leave out what an alias repeats: the same mistake at the same place, for another path."""
    seen: set[tuple[int, int, str]] = set()
    for item in found:
        place = (item.line, item.column, item.code)
        if item.code == codes.MISSING_KEY or place not in seen:
            seen.add(place)
            yield item


@contextmanager
def no_collection() -> Iterator[None]:
    """Hold the garbage collector back: it would walk, again and again, a heap without garbage."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
