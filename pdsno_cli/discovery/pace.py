"""How fast and how patiently a sweep probes: the registry's figures, or those declared instead."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass

from pdsno_cli.model.probes import ProbeFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Packets a second of each protocol, and bounds of the adaptive timeout in seconds.

    None stands for the figure of the protocol's registry entry. ``patient`` are the addresses that
    get the whole ceiling after their last try; None means all.
    """

    rate: float | None = None
    floor: float | None = None
    ceiling: float | None = None
    patient: Container[str] | None = None

    def rate_of(self, facts: ProbeFacts) -> float:
        """Return the packets a second of a protocol."""
        return facts.rate if self.rate is None else self.rate

    def ceiling_of(self, facts: ProbeFacts) -> float:
        """Return the longest timeout of a protocol."""
        return max(facts.timeout, self.floor or 0.0) if self.ceiling is None else self.ceiling

    def floor_of(self, facts: ProbeFacts) -> float:
        """Return the shortest timeout of a protocol."""
        return min(facts.floor if self.floor is None else self.floor, self.ceiling_of(facts))


def by_index(targets: Sequence[str], addresses: Container[str] | None) -> Container[int] | None:
    """Return the indices in ``targets`` of ``addresses``, None for all."""
    return None if addresses is None else _Indices(targets, addresses)


class _Indices(Container[int]):
    def __init__(self, targets: Sequence[str], addresses: Container[str]) -> None:
        self._targets = targets
        self._addresses = addresses

    def __contains__(self, index: object) -> bool:
        return isinstance(index, int) and self._targets[index] in self._addresses
