"""PDS224: an SNMP credential that is not one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.lint.declared import declared_credentials
from pdsno_cli.lint.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from pdsno_cli.model.diagnostics import Diagnostic
    from pdsno_cli.spec.document import Document, Where
    from pdsno_cli.spec.topology import Topology

CODE = "PDS224"


def check(topology: Topology, document: Document) -> Iterator[Diagnostic]:  # noqa: ARG001  # the contract of a rule
    """Yield a finding for a credential of neither kind or both, and for a name that comes twice."""
    named: dict[Where, set[str]] = {}
    for where, item in declared_credentials(document):
        for message, hint in _mistakes(item):
            yield document.finding(CODE, message, where, hint=hint)
        name = item.get("name")
        names = named.setdefault(where[:-1], set())
        if name is not None and name in names:
            yield document.finding(
                CODE,
                f"a second SNMP credential is called {name!r}",
                (*where, "name"),
                hint="give each credential a name of its own: reports say which one a device answers",
            )
        names.add(name or "")


def _mistakes(item: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield message and hint for each mistake in one credential."""
    if "community" in item and "user" in item:
        yield (
            "an SNMP credential has both a community and a user",
            "write two credentials: one with community, one with user, auth and privacy",
        )
    elif "community" not in item and "user" not in item:
        yield (
            "an SNMP credential has neither a community nor a user",
            'write community: "${SNMP_COMMUNITY}", or user, auth and privacy',
        )
    elif "community" in item and ("auth" in item or "privacy" in item):
        yield (
            "a community is neither authenticated nor encrypted",
            "remove auth and privacy, or write user in the place of community",
        )
    elif "privacy" in item and "auth" not in item:
        yield (
            "an SNMP user with privacy needs auth",
            'add auth: {protocol: sha256, password: "${SNMP_AUTH}"}',
        )


RULE = Rule(code=CODE, name="snmp-credential", check=check)
