"""Splits a prefix among the controllers of one key, in order."""

from __future__ import annotations

from pdsno_cli.model.target_problems import target_problem
from pdsno_cli.model.targets import parse_prefix

_NO_LENGTH = "write its length, as in 10.20.0.0/16"


class SplitError(ValueError):
    """A prefix that cannot be split so; ``meant`` is what to write instead, if it is known.

    ``key`` is the key at fault: ``split`` or ``into``.
    """

    def __init__(self, message: str, meant: str | None = None, *, key: str = "split") -> None:
        """Keep the message, one sentence, what to write and the key."""
        super().__init__(message)
        self.meant = meant
        self.key = key


def split_prefix(prefix: str, into: int, count: int) -> list[str]:
    """Return the first ``count`` sub-prefixes of length ``into``; SplitError if it has not so many."""
    try:
        network = parse_prefix(prefix if "/" in prefix else f"{prefix}/")
    except ValueError:
        problem, meant = target_problem(prefix) if "/" in prefix else (_NO_LENGTH, None)
        raise SplitError(f"{prefix!r} is not a valid prefix: {problem}", meant) from None
    enough = network.prefixlen + (count - 1).bit_length()  # the shortest length with as many parts
    if into < network.prefixlen:
        raise SplitError(
            f"a /{into} does not fit into {prefix}",
            f"into: {enough}" if enough <= network.max_prefixlen else None,
            key="into",
        )
    pieces = 1 << (into - network.prefixlen)
    if pieces < count:
        raise SplitError(
            f"{prefix} has {pieces} prefixes of /{into}, too few for {count} controllers",
            f"into: {enough}" if enough <= network.max_prefixlen else None,
        )
    if into > network.max_prefixlen:
        raise SplitError(
            f"a prefix length of IPv4 is at most {network.max_prefixlen}, not {into}", key="into"
        )
    first, step = network.network_address, 1 << (network.max_prefixlen - into)
    return [f"{first + number * step}/{into}" for number in range(count)]
