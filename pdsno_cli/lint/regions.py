"""The prefixes that regions declare, as ranges of addresses."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from pdsno_cli.model.targets import AddressRange

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pdsno_cli.spec.document import Document, Where
    from pdsno_cli.spec.topology import Region


def prefix_range(text: str) -> AddressRange | None:
    """Return all addresses of a prefix, its network and broadcast too; None if it is invalid."""
    try:
        network = ipaddress.IPv4Network(text)
    except ValueError:
        return None
    if "/" not in text:
        return None
    return AddressRange(int(network.network_address), int(network.broadcast_address))


def corrected(text: str) -> str | None:
    """Return the prefix that an address, or an address with a length, is in; None if neither."""
    address, slash, length = text.partition("/")
    try:
        if slash and not length.isdecimal():
            return None
        return str(ipaddress.IPv4Network(text if slash else f"{address}/32", strict=False))
    except ValueError:
        return None


def prefixes_of(region: Region, document: Document) -> Iterator[tuple[str, Where]]:
    """Yield the prefixes of a region with their paths."""
    where: Where = ("regions", region.name, "prefixes")
    for index, text in enumerate(region.prefixes):
        item: Where = (*where, index)
        yield text, item if document.has(item) else where
