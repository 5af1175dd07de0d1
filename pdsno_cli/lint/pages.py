"""Reads ``docs/rules.md``: beside the package in a checkout, inside it in a wheel."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent
_HEADING = re.compile(r"^## (PDS[0-9]{3}) (\S+)$", re.MULTILINE)
_FENCE = re.compile(r"^```yaml (bad|good)\n(.*?)^```$\n?", re.DOTALL | re.MULTILINE)
_WARNING = re.compile(r"\bwarning\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What ``docs/rules.md`` says of one rule.

    ``text`` is Markdown without the examples. ``bad`` and ``good`` are examples, parts of a
    topology file; None for a rule without.
    """

    code: str
    name: str
    text: str
    bad: str | None
    good: str | None

    @property
    def severity(self) -> str:
        """The severity of its findings: a page that does not mention warnings is about errors."""
        if self.text.startswith("A warning"):
            return "warning"
        return "error or warning" if _WARNING.search(self.text) else "error"


@cache
def pages() -> dict[str, Page]:
    """Return the page of every rule, by code."""
    _, *parts = _HEADING.split(_file().read_text("utf-8"))
    found = {}
    for code, name, section in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
        examples = {match[1]: match[2] for match in _FENCE.finditer(section)}
        found[code] = Page(
            code=code,
            name=name,
            text=_FENCE.sub("", section).strip(),
            bad=examples.get("bad"),
            good=examples.get("good"),
        )
    return found


def _file() -> Path:
    for folder in (_PACKAGE / "docs", _PACKAGE.parent / "docs"):
        path = folder / "rules.md"
        if path.is_file():
            return path
    raise FileNotFoundError("docs/rules.md is not installed with pdsno")
