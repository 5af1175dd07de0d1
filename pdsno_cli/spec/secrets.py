"""Secrets: the keys that hold one, and the resolution of references at use."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pdsno_cli.model.errors import OperationError
from pdsno_cli.spec.files import read_file
from pdsno_cli.spec.interpolate import ReferenceProblem, substitute
from pdsno_cli.spec.paths import resolve_path

if TYPE_CHECKING:
    from pathlib import Path

# Keys whose text stays as written in the topology, so that a file can be checked on a machine
# without its secrets. The schema uses these names for nothing else.
SECRET_KEYS = frozenset({"username", "password", "community", "signing_key"})

_FILE = "file:"
_LARGEST = 65_536


def resolve(text: str, *, base: Path) -> str:
    """Return the secret that ``text`` refers to.

    ``text`` is plain, or holds ``${NAME}`` or ``${NAME:-default}``, or is ``file:path`` with a
    path relative to ``base``, the topology file's folder; newlines at the end of the file are not
    part of the secret. OperationError if it is missing or not UTF-8.
    """
    try:
        resolved = substitute(text, os.environ)
    except ReferenceProblem as exc:
        raise OperationError(f"cannot read the secret {text!r}: {exc}") from exc
    # Only the text as written counts: a variable's value must not name a file.
    if text.startswith(_FILE):
        return _read(resolve_path(resolved.removeprefix(_FILE), base=base), text)
    try:
        resolved.encode()
    except UnicodeEncodeError as exc:
        raise OperationError(f"cannot read the secret {text!r}: its value is not UTF-8") from exc
    return resolved


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
