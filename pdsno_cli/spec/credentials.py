"""The secrets of SNMP credentials: where they stand, and the settings with others in their places."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pdsno_cli.model.errors import OperationError
from pdsno_cli.spec.secrets import resolve

SHORTEST_PASSWORD = 8  # RFC 3414 section 11.2

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pdsno_cli.spec.topology import Credential, Snmp, SnmpKey


def snmp_secrets(snmp: Snmp) -> Iterator[str]:
    """Yield each text of the settings that refers to a secret in use."""
    for item in snmp.tried:
        if item.community is not None:
            yield item.community
        for key in (item.auth, item.privacy):
            if key is not None:
                yield key.password


def with_secrets(snmp: Snmp, of: Callable[[str], str]) -> Snmp:
    """Return the settings with ``of(text)`` in the place of each text that refers to a secret."""

    def key(found: SnmpKey | None) -> SnmpKey | None:
        return None if found is None else replace(found, password=of(found.password))

    def one(item: Credential) -> Credential:
        community = None if item.community is None else of(item.community)
        return replace(item, community=community, auth=key(item.auth), privacy=key(item.privacy))

    if snmp.credentials:
        # The community is not used; what it refers to need not be readable.
        return replace(snmp, credentials=tuple(map(one, snmp.credentials)))
    return replace(snmp, community=of(snmp.community))


def resolve_snmp(snmp: Snmp, *, base: Path) -> Snmp:
    """Return the settings with their secrets; OperationError if one is missing or too short."""
    resolved = with_secrets(snmp, lambda text: resolve(text, base=base))
    for item in resolved.credentials:
        for name, key in (("auth", item.auth), ("privacy", item.privacy)):
            if key is not None and len(key.password) < SHORTEST_PASSWORD:
                raise OperationError(
                    f"the {name} password of the SNMP user {item.user!r} is shorter than "
                    f"{SHORTEST_PASSWORD} characters: agents take none"
                )
    return resolved
