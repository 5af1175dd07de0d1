"""How far the protocols of a sweep have come, for whoever watches it from another thread."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Progress:
    """One protocol's: ``finished`` of the ``begun`` requests, its retries not counted.

    Its thread alone writes. More may begin: what answered is asked for more.
    """

    begun: int = 0
    finished: int = 0
