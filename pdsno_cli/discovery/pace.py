"""How fast and how patiently a sweep probes: the registry's figures, or those declared instead."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass

from pdsno_cli.model.probes import ProbeFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Packets a second of each protocol, and bounds of the adaptive timeout in seconds.

    None stands for the figure of the protocol's registry entry. ``known`` has the protocols that
    each address of a known device answers; a sweep without it is thorough, and waits for every
    silent target to the ceiling. ``devices`` are the addresses of known devices: where the targets are
    those of a whole link, these are asked directly. ``there`` is True if all targets are known to be there.
    """

    rate: float | None = None
    floor: float | None = None
    ceiling: float | None = None
    known: Mapping[str, Container[str]] | None = None
    devices: frozenset[str] = frozenset()
    there: bool = False

    def patient(self, facts: ProbeFacts) -> Container[str] | None:
        """Return the addresses that get the whole ceiling after their last try; None means all.

        Those are what answered the protocol before, and of what is there, what is new.
        """
        if self.known is None:
            return None
        return _Patient(self.known, facts.name, there=self.there)

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


class _Patient(Container[str]):
    def __init__(self, known: Mapping[str, Container[str]], protocol: str, *, there: bool) -> None:
        self._known = known
        self._protocol = protocol
        self._there = there

    def __contains__(self, address: object) -> bool:
        protocols = self._known.get(str(address))
        return self._there if protocols is None else self._protocol in protocols
