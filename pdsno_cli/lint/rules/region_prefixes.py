"""PDS601: an invalid prefix of a region, or one that overlaps another region's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.lint.regions import corrected, prefix_range, prefixes_of
from pdsno_cli.lint.rule import Rule
from pdsno_cli.model.diagnostics import Severity
from pdsno_cli.model.target_problems import target_problem
from pdsno_cli.model.targets import reserved_addresses

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pdsno_cli.model.diagnostics import Diagnostic
    from pdsno_cli.model.targets import AddressRange
    from pdsno_cli.spec.document import Document, Where
    from pdsno_cli.spec.topology import Topology

    Entry = tuple[AddressRange, int, str, str, Where]

CODE = "PDS601"


def check(topology: Topology, document: Document) -> Iterator[Diagnostic]:
    """Yield an error for each prefix that is invalid, a warning for each that overlaps another."""
    entries: list[Entry] = []
    for region in topology.regions.values():
        for text, where in prefixes_of(region, document):
            found = prefix_range(text)
            words = None if found is None else reserved_addresses(found)
            if found is None:
                yield _invalid(document, text, where)
            elif words is not None:
                yield document.finding(
                    CODE,
                    f"{text!r} contains {words}",
                    where,
                    hint="for example: prefixes: [10.20.0.0/16]",
                )
            else:
                entries.append((found, len(entries), text, region.name, where))
    yield from _overlaps(entries, document)


def _invalid(document: Document, text: str, where: Where) -> Diagnostic:
    meant = corrected(text)
    if meant is None:
        why, near = target_problem(text) if text.count(":") > 1 else (None, None)
        return document.finding(
            CODE,
            f"{text!r} is not a prefix" + (f": {why}" if why else ""),
            where,
            hint=f"did you mean {near}?" if near else "for example: prefixes: [10.20.0.0/16]",
        )
    length = text.partition("/")[2]
    certain = bool(length) or meant.endswith(("/32", "/128"))  # else its length is a guess
    if "*" in text:
        problem = "has '*' in place of numbers"
    elif not length:
        problem = "has no length"
    elif "." in length:
        problem = "has a netmask for its length"
    else:
        problem = "has bits beyond its length"
    return document.finding(
        CODE,
        f"the prefix {text!r} {problem}",
        where,
        hint=f"write {meant}",
        fix=(document.replacement(where, meant),) if certain else (),
    )


def _overlaps(entries: list[Entry], document: Document) -> Iterator[Diagnostic]:
    """Yield a warning for each prefix that one with a lower or equal first address contains.

    Of two prefixes that overlap, one contains the other, so it is enough to remember those that
    are open, the widest first.
    """
    enclosing: list[Entry] = []
    reported: set[int] = set()
    for entry in sorted(entries, key=lambda item: (item[0].first, -item[0].last, item[1])):
        while enclosing and enclosing[-1][0].last < entry[0].first:
            enclosing.pop()
        if enclosing:
            first, second = sorted((enclosing[-1], entry), key=lambda item: item[1])
        if enclosing and second[1] not in reported:
            reported.add(second[1])
            if first[3] == second[3]:
                other = f"{first[2]} of the same region"
            else:
                other = f"{first[2]} of region {first[3]!r}"
            yield document.finding(
                CODE,
                f"the prefix {second[2]} overlaps {other}",
                second[4],
                severity=Severity.WARNING,
                hint="remove it" if first[3] == second[3] else "an address is in one region only",
            )
        enclosing.append(entry)


RULE = Rule(code=CODE, name="region-prefixes", check=check)
