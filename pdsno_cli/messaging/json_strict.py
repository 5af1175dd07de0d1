"""Rejects JSON that lenient decoders accept: duplicate members, and numbers beyond a double."""

from __future__ import annotations

import json
from typing import NoReturn

from pdsno_cli.model.numbers import MAX_INTEGER


def check(data: bytes) -> None:
    """Raise ValueError or RecursionError unless ``data`` is I-JSON (RFC 7493)."""
    json.loads(
        data.decode("utf-8"),
        object_pairs_hook=_no_duplicates,
        parse_int=_bounded,
        parse_constant=_refuse,
    )


def _no_duplicates(pairs: list[tuple[str, object]]) -> None:
    names = {name for name, _ in pairs}
    if len(names) != len(pairs):
        raise ValueError("a member is there twice")


def _bounded(digits: str) -> None:
    if len(digits) > 17 or abs(int(digits)) > MAX_INTEGER:
        raise ValueError("an integer is beyond 2**53 - 1")


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not valid JSON")
