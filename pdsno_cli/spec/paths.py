"""Resolves paths in a file relative to the folder of that file."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def resolve_path(text: str, *, base: Path) -> Path:
    """Return the path that ``text`` means in a file of the folder ``base``.

    It does not depend on the working directory, which is ``/`` in a systemd unit. Used for every
    path in a file: ``broker.tls``, ``lab.recordings`` and ``file:`` secrets.
    """
    return base / text
