"""Splits a payload that is too large for one message into fragments, and joins them; pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec

from pdsno_cli.model.messages import DiscoveryReport, Summary

Fragmentable = TypeVar("Fragmentable", bound=DiscoveryReport | Summary)

# The lists of each kind that are divided among its fragments.
_LISTS: dict[type[DiscoveryReport | Summary], tuple[str, ...]] = {
    DiscoveryReport: ("new", "updated", "inactive", "details", "changes"),
    Summary: ("locals", "new", "updated", "inactive", "whole", "unknown"),
}
FRAGMENTABLE = (DiscoveryReport, Summary)  # for isinstance
_ENVELOPE = 2048  # bytes of a message around its payload: envelope and signature
encode = msgspec.json.Encoder().encode
_decoders: dict[type, msgspec.json.Decoder[Any]] = {
    kind: msgspec.json.Decoder(kind) for kind in _LISTS
}


def decode(kind: type[Fragmentable], data: bytes) -> Fragmentable:
    """Return the fragment that ``encode`` encoded."""
    fragment: Fragmentable = _decoders[kind].decode(data)
    return fragment


def join(fragments: Sequence[Fragmentable]) -> Fragmentable:
    """Return the payload of which these are all fragments, in order."""
    names = _lists(fragments[0])
    lists = {name: tuple(i for one in fragments for i in getattr(one, name)) for name in names}
    return msgspec.structs.replace(fragments[-1], snapshot=fragments[0].snapshot, **lists)


def split(payload: Fragmentable, limit: int) -> list[Fragmentable]:
    """Return ``payload`` as fragments for messages of at most ``limit`` bytes; one where it fits.

    The first is the snapshot, where ``payload`` is one; ``more`` is set in all but the last.
    """
    names = _lists(payload)
    bare = msgspec.structs.replace(payload, **dict.fromkeys(names, ()))
    room = max(limit - len(encode(bare)) - _ENVELOPE, limit // 4)
    filled: list[dict[str, list[object]]] = [{}]
    size = 0
    for name in names:
        for item in getattr(payload, name):
            length = len(encode(item)) + 1
            if size + length > room and size:
                filled.append({})
                size = 0
            filled[-1].setdefault(name, []).append(item)
            size += length
    last = len(filled) - 1
    return [
        msgspec.structs.replace(
            payload,
            snapshot=payload.snapshot and number == 0,
            more=number < last,
            **{name: tuple(lists.get(name, ())) for name in names},
        )
        for number, lists in enumerate(filled)
    ]


def _lists(payload: DiscoveryReport | Summary) -> tuple[str, ...]:
    return _LISTS[type(payload)]
