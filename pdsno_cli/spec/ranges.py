"""Ranges in controller keys: ``local_[001:200]`` stands for 200 ids, as in Ansible inventories."""

from __future__ import annotations

import itertools
import math
import re

LIMIT = 50_000  # ids that one key may stand for
_BRACES = re.compile(r"\{[0-9]+(?:\.\.|[:,-])[0-9]+\}")
_RANGE_LIKE = re.compile(r"[\[{]\s*([0-9]{1,9})\s*(?::|\.\.|-|,)\s*([0-9]{1,9})\s*[\]}]?")
_RANGE = re.compile(r"\[([0-9]{1,9}):([0-9]{1,9})\]")


def expand(key: str) -> list[str]:
    """Return the ids that ``key`` stands for, in order; ValueError, one sentence, if malformed.

    Several ranges in one key give every combination, the last one varying fastest. Bounds with
    leading zeros have the same width, which all numbers between them get.
    """
    if "[" not in key and "]" not in key:
        if "{" in key and _BRACES.search(key) is not None:
            raise ValueError(f"{key!r} has a range in braces")
        return [key]
    pieces = _RANGE.split(key)  # text, first, last, text, first, last, text
    texts, firsts, lasts = pieces[::3], pieces[1::3], pieces[2::3]
    if any("[" in text or "]" in text for text in texts):
        raise ValueError(f"{key!r} has an invalid range")
    bounds = list(zip(firsts, lasts, strict=True))
    size = math.prod(_count(first, last) for first, last in bounds)
    if size > LIMIT:
        raise ValueError(f"{key!r} stands for {size:,} controllers, more than {LIMIT:,}")
    return [
        "".join(itertools.chain(*zip(texts, (*numbers, ""), strict=True)))
        for numbers in itertools.product(*(_numbers(first, last) for first, last in bounds))
    ]


def meant(key: str) -> str | None:
    """Return a malformed key with its ranges as they were probably meant, None if it is not clear."""

    def spelled(match: re.Match[str]) -> str:
        first, last = match[1], match[2]
        if int(last) < int(first):
            first, last = last, first
        width = len(last) if first.startswith("0") or last.startswith("0") else 0
        return f"[{first.zfill(width)}:{last}]"

    text = _RANGE_LIKE.sub(spelled, key)
    try:
        expand(text)
    except ValueError:
        return None
    return text if text != key else None


def _count(first: str, last: str) -> int:
    padded = any(len(bound) > 1 and bound.startswith("0") for bound in (first, last))
    if padded and len(first) != len(last):
        raise ValueError(
            f"[{first}:{last}] is an invalid range: bounds with leading zeros must have the same width"
        )
    if int(last) < int(first):
        raise ValueError(f"[{first}:{last}] is an invalid range: it ends before it starts")
    return int(last) - int(first) + 1


def _numbers(first: str, last: str) -> list[str]:
    width = len(first) if first.startswith("0") else 0
    return [f"{number:0{width}d}" for number in range(int(first), int(last) + 1)]
