"""A network to be drawn: boxes, and cables between them, whatever they were found by."""

from __future__ import annotations

from dataclasses import dataclass

ADDRESSES, MACS = "addresses", "MAC"  # facts, of which people see the first few


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """One device. ``kind`` is its type, such as ``switch``; ``region`` is empty for an unknown one.

    ``facts`` are shown with the device, in order: names and values. All ``addresses`` and ``macs`` are
    for programs.
    """

    name: str
    kind: str
    region: str
    facts: tuple[tuple[str, str], ...] = ()
    known: bool = True
    addresses: tuple[str, ...] = ()
    macs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cable:
    """A link between two boxes, given by their positions in the network's ``boxes``."""

    box: int
    port: str
    other: int
    other_port: str
    evidence: str
    confirmed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """The boxes and the cables of a drawing under a ``title``."""

    title: str
    boxes: tuple[Box, ...]
    cables: tuple[Cable, ...]
