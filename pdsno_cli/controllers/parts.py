"""Splits what is too large for one message into parts that are sent one after the other; pure."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from pdsno_cli.model.messages import DiscoveryReport, Summary

Large = TypeVar("Large", DiscoveryReport, Summary)

_LISTS = ("new", "updated", "inactive")
_ROOM = 8192  # bytes of a message beside its lists: envelope, signature, probes, cycles
_encode = msgspec.json.Encoder().encode


def parts(whole: Large, limit: int) -> list[Large]:
    """Return ``whole`` as messages of at most ``limit`` bytes, itself where it fits.

    The first part is the snapshot, where ``whole`` is one; all but the last say that more follow.
    """
    room = max(limit - _ROOM, limit // 2)
    filled: list[dict[str, list[object]]] = [{}]
    size = 0
    for name in _LISTS:
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
            **{name: tuple(lists.get(name, ())) for name in _LISTS},
        )
        for number, lists in enumerate(filled)
    ]
