"""PDS214: a secret in plain text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.lint.rule import Rule
from pdsno_cli.model.diagnostics import Severity
from pdsno_cli.spec.interpolate import literal_parts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pdsno_cli.model.diagnostics import Diagnostic
    from pdsno_cli.spec.document import Document, Where
    from pdsno_cli.spec.topology import Topology

CODE = "PDS214"
PUBLIC = "public"  # the community that everybody knows


def check(topology: Topology, document: Document) -> Iterator[Diagnostic]:
    """Yield an error for each password or key in plain text, a warning for a community."""
    hint = "write ${NAME} or file:path, and keep the value out of the file"
    secrets: tuple[tuple[str, str | None, Where], ...] = (
        ("the broker's password", topology.broker.password, ("broker", "password")),
        ("the signing key", topology.signing_key, ("signing_key",)),
    )
    for name, text, where in secrets:
        if text is not None and _is_plain(text):
            yield document.finding(CODE, f"{name} is in plain text", where, hint=hint)
    for where, community in _communities(document):
        if _is_plain(community) and literal_parts(community) != PUBLIC:
            yield document.finding(
                CODE,
                "the SNMP community is in plain text",
                where,
                severity=Severity.WARNING,
                hint=hint,
            )


def _is_plain(text: str) -> bool:
    """Whether a text says something itself; the default of a reference does, too."""
    return not text.startswith("file:") and bool(literal_parts(text))


def _communities(document: Document) -> Iterator[tuple[Where, str]]:
    """Yield every community as the file has it: one that all inherit is one finding."""
    data = document.data
    defaults = data.get("defaults", {})
    holders: list[tuple[Where, dict[str, object] | None]] = [(("defaults",), defaults)]
    holders += [
        (("defaults", "roles", role), raw) for role, raw in defaults.get("roles", {}).items()
    ]
    holders += [(("regions", name), raw) for name, raw in data.get("regions", {}).items()]
    holders += [(("controllers", key), raw) for key, raw in data["controllers"].items()]
    for where, raw in holders:
        discovery = (raw or {}).get("discovery")
        snmp = discovery.get("snmp") if isinstance(discovery, dict) else None
        if snmp is not None and "community" in snmp:
            yield (*where, "discovery", "snmp", "community"), snmp["community"]


RULE = Rule(code=CODE, name="plain-secret", check=check)
