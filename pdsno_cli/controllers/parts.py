"""Splits what is too large for one message into parts, and joins them again; pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import msgspec

from pdsno_cli.model.messages import DiscoveryReport, Summary

Large = TypeVar("Large", DiscoveryReport, Summary)

_LISTS = {
    DiscoveryReport: ("new", "updated", "inactive"),
    Summary: ("locals", "new", "updated", "inactive"),
}
_ENVELOPE = 2048  # bytes of a message around its payload: envelope and signature
_encode = msgspec.json.Encoder().encode


def join(received: Sequence[Large]) -> Large:
    """Return what was split: ``received`` are all its parts, in order."""
    names = _LISTS[type(received[0])]
    lists = {name: tuple(i for part in received for i in getattr(part, name)) for name in names}
    return msgspec.structs.replace(received[-1], snapshot=received[0].snapshot, **lists)


def parts(whole: Large, limit: int) -> list[Large]:
    """Return ``whole`` as messages of at most ``limit`` bytes, itself where it fits.

    The first part is the snapshot, where ``whole`` is one; all but the last say that more follow.
    """
    names = _LISTS[type(whole)]
    bare = msgspec.structs.replace(whole, **dict.fromkeys(names, ()))
    room = max(limit - len(_encode(bare)) - _ENVELOPE, limit // 4)
    filled: list[dict[str, list[object]]] = [{}]
    size = 0
    for name in names:
        for item in getattr(whole, name):
            length = len(_encode(item)) + 1
            if size + length > room and size:
                filled.append({})
                size = 0
            filled[-1].setdefault(name, []).append(item)
            size += length
    last = len(filled) - 1
    return [
        msgspec.structs.replace(
            whole,
            snapshot=whole.snapshot and number == 0,
            more=number < last,
            **{name: tuple(lists.get(name, ())) for name in names},
        )
        for number, lists in enumerate(filled)
    ]
