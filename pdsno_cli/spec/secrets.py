"""Secrets: the keys that hold one, and the resolution of references at use."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import quote

from pdsno_cli.model.errors import OperationError
from pdsno_cli.spec.files import read_file
from pdsno_cli.spec.interpolate import ReferenceProblem, substitute
from pdsno_cli.spec.paths import resolve_path

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# Keys whose text stays as written in the topology, so that a file can be checked on a machine
# without its secrets. The schema uses these names for nothing else.
SECRET_KEYS = frozenset({"username", "password", "community", "signing_key", "nib"})

_FILE = "file:"
_LARGEST = 65_536


def resolve(text: str, *, base: Path, environment: Mapping[str, str] | None = None) -> str:
    """Return the secret that ``text`` refers to.

    ``text`` is plain, or holds ``${NAME}`` or ``${NAME:-default}``, or is ``file:path`` with a
    path relative to ``base``, the topology file's folder; newlines at the end of the file are not
    part of the secret. Variables are those of this process, unless an ``environment`` is given.
    OperationError if it is missing or not UTF-8.
    """
    resolved = _substitute(text, os.environ if environment is None else environment)
    # Only the text as written counts: a variable's value must not name a file.
    if text.startswith(_FILE):
        return _read(resolve_path(resolved.removeprefix(_FILE), base=base), text)
    try:
        resolved.encode()
    except UnicodeEncodeError as exc:
        raise OperationError(f"cannot read the secret {text!r}: its value is not UTF-8") from exc
    return resolved


def resolve_url(text: str, *, base: Path) -> str:
    """Return the URL that ``text`` refers to, as ``resolve`` does.

    A variable in the user name or the password is escaped: it may hold any character.
    """
    before, at, after = text.rpartition("@")
    if not at or text.startswith(_FILE):
        return resolve(text, base=base)
    escaped = {
        name: quote(value, safe="", errors="surrogateescape") for name, value in os.environ.items()
    }
    return _substitute(before, escaped) + at + resolve(after, base=base)


def _substitute(text: str, environment: Mapping[str, str]) -> str:
    try:
        return substitute(text, environment)
    except ReferenceProblem as exc:
        raise OperationError(f"cannot read the secret {text!r}: {exc}") from exc


def _read(path: Path, text: str) -> str:
    try:
        content = read_file(path, _LARGEST + 1)
    except (OSError, ValueError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) and exc.strerror else str(exc)
        raise OperationError(f"cannot read the secret {text!r}: {path}: {reason}") from exc
    if len(content) > _LARGEST:
        raise OperationError(f"cannot read the secret {text!r}: {path} is larger than 64 KiB")
    try:
        return content.decode().rstrip("\r\n")
    except UnicodeDecodeError as exc:
        raise OperationError(f"cannot read the secret {text!r}: {path} is not UTF-8") from exc
