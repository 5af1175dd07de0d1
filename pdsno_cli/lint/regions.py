"""The prefixes that regions declare, as ranges of addresses."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING

from pdsno_cli.model.target_problems import target_problem
from pdsno_cli.model.targets import AddressRange, parse_prefix, whole_range

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pdsno_cli.spec.document import Document, Where
    from pdsno_cli.spec.topology import Region

_PREFIX = re.compile(r"[0-9.]+/[0-9]{1,2}|[0-9A-Fa-f:.]+/[0-9]{1,3}")


def prefix_range(text: str) -> AddressRange | None:
    """Return all addresses of a prefix, its network and broadcast too; None if it is invalid."""
    if _PREFIX.fullmatch(text) is None:
        return None
    try:
        return whole_range(parse_prefix(text))
    except ValueError:
        return None


def corrected(text: str) -> str | None:
    """Return the prefix that an address, with a length, a netmask or neither, is in; else None."""
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return target_problem(text)[1] if "*" in text else None
    if "/" in text:
        return str(network)
    if network.version == 6:
        return f"{text}/64" if int(network.network_address) % (1 << 64) == 0 else str(network)
    octets = text.split(".")
    while len(octets) > 1 and octets[-1] == "0":
        octets.pop()
    return f"{text}/{8 * len(octets)}"


def prefixes_of(region: Region, document: Document) -> Iterator[tuple[str, Where]]:
    """Yield the prefixes of a region with their paths."""
    where: Where = ("regions", region.name, "prefixes")
    for index, text in enumerate(region.prefixes):
        item: Where = (*where, index)
        yield text, item if document.has(item) else where
