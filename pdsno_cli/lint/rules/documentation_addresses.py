"""PDS603: targets that no network has: addresses of documentation, or reserved ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.lint.common import local_targets, target_path
from pdsno_cli.lint.rule import Rule
from pdsno_cli.model.diagnostics import Severity
from pdsno_cli.model.targets import parse_range

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pdsno_cli.model.diagnostics import Diagnostic
    from pdsno_cli.spec.document import Document, Where
    from pdsno_cli.spec.topology import Topology

CODE = "PDS603"
# The whole prefixes, with their first and last addresses.
UNUSED = (
    (parse_range("192.0.2.0-192.0.2.255"), "192.0.2.0/24 is for documentation (RFC 5737)"),
    (parse_range("198.51.100.0-198.51.100.255"), "198.51.100.0/24 is for documentation (RFC 5737)"),
    (parse_range("203.0.113.0-203.0.113.255"), "203.0.113.0/24 is for documentation (RFC 5737)"),
    (
        parse_range("2001:db8::-2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"),
        "2001:db8::/32 is for documentation (RFC 3849)",
    ),
    (
        parse_range("3fff::-3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff"),
        "3fff::/20 is for documentation (RFC 9637)",
    ),
    (parse_range("240.0.0.0-255.255.255.254"), "240.0.0.0/4 is reserved (RFC 1112)"),
)


def check(topology: Topology, document: Document) -> Iterator[Diagnostic]:
    """Yield a warning for each target that lies in such a prefix, one for a split prefix."""
    reported: set[Where] = set()
    for controller, index, found in local_targets(topology):
        for unused, words in UNUSED:
            if unused.first <= found.first and found.last <= unused.last:
                where = target_path(document, controller, index)
                if where not in reported:
                    reported.add(where)
                    text = controller.discovery.targets[index]
                    example = "fd00:1::/64" if ":" in text else "10.0.1.0/24"
                    yield document.finding(
                        CODE,
                        f"nothing answers at {text}: {words}",
                        where,
                        severity=Severity.WARNING,
                        hint=f"write a prefix of your network, for example {example}",
                    )


RULE = Rule(code=CODE, name="documentation-addresses", check=check, advice=True)
