"""``pdsno ps``: another name of ``pdsno status``."""

from __future__ import annotations

from pdsno_cli.cli.status import status as ps

__all__ = ["ps"]
