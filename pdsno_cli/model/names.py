"""Suggests names for misspelled ones."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def nearest(name: str, candidates: Iterable[str]) -> str | None:
    """Return the candidate most like ``name``, letter case aside, or None if none is similar."""
    return _nearest(name, tuple(candidates))


# A mistake is often repeated: a script or a copy has it in every controller of a file.
@lru_cache(maxsize=512)
def _nearest(name: str, candidates: tuple[str, ...]) -> str | None:
    import difflib

    by_fold = {candidate.casefold(): candidate for candidate in candidates}
    found = difflib.get_close_matches(name.casefold(), by_fold, n=1, cutoff=0.6)
    return by_fold[found[0]] if found else None


@lru_cache(maxsize=512)
def similarity(one: str, other: str) -> float:
    """Return how alike two names are, letter case aside, from 0 to 1."""
    import difflib

    return difflib.SequenceMatcher(None, one.casefold(), other.casefold()).ratio()


def did_you_mean(name: str, candidates: Iterable[str]) -> str | None:
    """Return the sentence ``did you mean 'x'?``, or None if no candidate is similar."""
    found = nearest(name, candidates)
    return f"did you mean {found!r}?" if found is not None else None


def suggest(name: str, candidates: Iterable[str]) -> str:
    """Return a hint for an unknown name: ``did you mean 'x'?``, else what there is."""
    known = list(candidates)
    if hint := did_you_mean(name, known):
        return hint
    more = f" and {len(known) - _LISTED} more" if len(known) > _LISTED else ""
    return f"one of: {', '.join(known[:_LISTED])}{more}" if known else "there is none"


_LISTED = 12  # names


def certain(name: str, candidates: Iterable[str]) -> str | None:
    """Return the only candidate that one slip of the keyboard makes ``name``, in long names two.

    Letter case, hyphens and underscores do not count. None if there are two, or none.
    """
    return _certain(name, tuple(candidates))


@lru_cache(maxsize=512)
def _certain(name: str, candidates: tuple[str, ...]) -> str | None:
    plain = _plain(name)
    most = 1 if len(plain) < _LONG else 2
    close = [
        (slips, candidate)
        for candidate in dict.fromkeys(candidates)
        if abs(len(candidate) - len(plain)) <= most
        and (slips := _slips(plain, _plain(candidate))) <= most
    ]
    least = min((slips for slips, _ in close), default=0)
    if least and len(close) > 1:
        return None
    found = [candidate for slips, candidate in close if slips == least]
    return found[0] if len(found) == 1 and min(len(plain), len(found[0])) > _SHORTEST else None


_LONG, _SHORTEST = 6, 2


def _plain(name: str) -> str:
    return name.casefold().replace("-", "_")


def _slips(one: str, other: str) -> int:
    """Return how many letters were added, left out, mistaken or swapped with the next."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for at, letter in enumerate(one, 1):
        earlier, before, row = before, row, [at]
        for to, meant in enumerate(other, 1):
            cost = min(before[to] + 1, row[-1] + 1, before[to - 1] + (letter != meant))
            swapped = at > 1 < to and letter == other[to - 2] and one[at - 2] == meant
            row.append(min(cost, earlier[to - 2] + 1) if swapped else cost)
    return row[-1]
