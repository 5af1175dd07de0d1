"""Calls listeners so that their exceptions do not end a transport's thread."""

from __future__ import annotations

import logging
from collections.abc import Callable

log = logging.getLogger(__name__)


def call_guarded(method: Callable[..., None], *args: object) -> None:
    """Call ``method``; log an exception instead of raising it."""
    try:
        method(*args)
    except Exception:
        log.exception("a listener of a transport failed")
