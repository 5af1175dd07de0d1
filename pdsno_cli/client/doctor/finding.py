"""What a check of ``pdsno doctor`` and ``pdsno check`` says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "warn", "fail", "skip"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One verdict: ``text`` says what was seen, ``hint`` what to do; ``skip`` is what was not checked.

    ``subjects`` are all controllers with the problem, of which ``text`` names the first.
    """

    check: str
    verdict: Verdict
    text: str
    hint: str | None = None
    subjects: tuple[str, ...] = ()
