"""What a store holds of one local controller, as a count and a hash that two stores can be compared by."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pdsno_cli.model.devices import Device

_encode = msgspec.json.Encoder(order="deterministic").encode
_DIGITS = 12  # of the hash: chance makes two inventories alike once in 2**48


class Contents(NamedTuple):
    """How many devices are present, and a hash of all that is known of them but their uptime."""

    devices: int
    hash: str


def contents(devices: Iterable[Device]) -> Contents:
    """Return the contents that ``devices`` are, in whatever order."""
    lines = sorted(_encode(msgspec.structs.replace(item, uptime=None)) for item in devices)
    digest = hashlib.sha256(b"\n".join(lines)).hexdigest()
    return Contents(len(lines), digest[:_DIGITS])


NOTHING = contents(())
