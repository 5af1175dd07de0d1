"""Suggests names for misspelled ones."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def nearest(name: str, candidates: Iterable[str]) -> str | None:
    """Return the candidate most like ``name``, letter case aside, or None if none is similar."""
    by_fold = {candidate.casefold(): candidate for candidate in candidates}
    found = difflib.get_close_matches(name.casefold(), by_fold, n=1, cutoff=0.6)
    return by_fold[found[0]] if found else None


def similarity(one: str, other: str) -> float:
    """Return how alike two names are, letter case aside, from 0 to 1."""
    return difflib.SequenceMatcher(None, one.casefold(), other.casefold()).ratio()


def did_you_mean(name: str, candidates: Iterable[str]) -> str | None:
    """Return the sentence ``did you mean 'x'?``, or None if no candidate is similar."""
    found = nearest(name, candidates)
    return f"did you mean {found!r}?" if found is not None else None
