"""PDS214: a secret in plain text."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from pdsno_cli.lint.declared import declared, declared_communities, declared_credentials
from pdsno_cli.lint.rule import Rule
from pdsno_cli.model.diagnostics import Severity
from pdsno_cli.spec.interpolate import literal_parts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pdsno_cli.model.diagnostics import Diagnostic
    from pdsno_cli.spec.document import Document, Where
    from pdsno_cli.spec.topology import Topology

CODE = "PDS214"
PUBLIC = "public"  # the well-known default community
_PASSWORD = re.compile(r"://[^:/@]*:(.*)@")


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
    for where, url in declared(document, "nib"):
        if _is_plain(_password(url)):
            yield document.finding(
                CODE,
                "the password of the database is in plain text",
                where,
                hint="write ${NAME} in its place, and keep the value out of the file",
            )
    for where, item in declared_credentials(document):
        for part in ("auth", "privacy"):
            if part in item and _is_plain(item[part]["password"]):
                yield document.finding(
                    CODE,
                    "the password of an SNMP user is in plain text",
                    (*where, part, "password"),
                    hint=hint,
                )
    for where, community in declared_communities(document):
        if _is_plain(community) and literal_parts(community) != PUBLIC:
            yield document.finding(
                CODE,
                "the SNMP community is in plain text",
                where,
                severity=Severity.WARNING,
                hint=hint,
            )


@lru_cache(maxsize=1024)
def _is_plain(text: str) -> bool:
    """Return True if a text contains a literal value, also as the default of a reference."""
    return not text.startswith("file:") and bool(literal_parts(text))


def _password(url: str) -> str:
    """Return the password in a URL, empty if it has none."""
    found = _PASSWORD.search(url)
    return found[1] if found else ""


RULE = Rule(code=CODE, name="plain-secret", check=check)
