"""Splits a prefix among the controllers of one key, in order."""

from __future__ import annotations

import ipaddress


def split_prefix(prefix: str, into: int, count: int) -> list[str]:
    """Return the first ``count`` sub-prefixes of length ``into``; ValueError, one sentence."""
    try:
        network = ipaddress.IPv4Network(prefix, strict=True)
    except ValueError as exc:
        raise ValueError(f"{prefix!r} is not a valid prefix: {exc}") from exc
    if into < network.prefixlen:
        raise ValueError(f"a /{into} does not fit into {prefix}")
    pieces = 1 << (into - network.prefixlen)
    if pieces < count:
        raise ValueError(
            f"{prefix} has {pieces} prefixes of /{into}, too few for {count} controllers"
        )
    first, step = int(network.network_address), 1 << (32 - into)
    return [f"{ipaddress.IPv4Address(first + number * step)}/{into}" for number in range(count)]
