"""The one rule for every path in a file: relative to the folder of the file that names it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def resolve_path(text: str, *, base: Path) -> Path:
    """Return the path that ``text`` stands for in a file of the folder ``base``.

    The working directory is nobody's choice: a unit of systemd has ``/``. Every key that holds a
    path goes through here, those of ``broker.tls`` as well as ``file:`` secrets.
    """
    return base / text
