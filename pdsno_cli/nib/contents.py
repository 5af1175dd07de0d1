"""Summarises a local controller's devices as a count and a hash, by which two stores are compared."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pdsno_cli.model.devices import Device

_encode = msgspec.json.Encoder(order="deterministic").encode
_DIGITS = 12  # of the hash: two inventories collide by chance once in 2**48


class Contents(NamedTuple):
    """The number of devices that are present, and a hash of all their fields except the uptime."""

    devices: int
    hash: str


def contents(devices: Iterable[Device]) -> Contents:
    """Return the contents of ``devices``; their order does not matter."""
    lines = sorted(_encode(msgspec.structs.replace(item, uptime=None)) for item in devices)
    digest = hashlib.sha256(b"\n".join(lines)).hexdigest()
    return Contents(len(lines), digest[:_DIGITS])


NOTHING = contents(())
