"""Every code that a finding can have, its name and its page."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import TYPE_CHECKING

from pdsno_cli.lint import rules
from pdsno_cli.spec import codes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pdsno_cli.lint.rule import Rule

RULES_PAGE = "https://github.com/pdsno/pdsno/blob/main/docs/rules.md"

# Without these parts of a file there is nothing to check, so they can be neither ignored nor lowered.
ALWAYS = frozenset({codes.SYNTAX, codes.LIMIT, codes.ENCODING, codes.SHAPE})


@cache
def all_rules() -> tuple[Rule, ...]:
    """Return every rule by code: each module of ``lint.rules`` holds one, as ``RULE``."""
    found: list[Rule] = [
        importlib.import_module(f"{rules.__name__}.{module.name}").RULE
        for module in pkgutil.iter_modules(rules.__path__)
    ]
    return tuple(sorted(found, key=lambda rule: rule.code))


@cache
def names() -> Mapping[str, str]:
    """Return the name of each code, by code in ascending order."""
    return dict(sorted({**codes.NAMES, **{rule.code: rule.name for rule in all_rules()}}.items()))


def help_uri(code: str) -> str:
    """Return the address of the section that explains ``code``."""
    return f"{RULES_PAGE}#{code.lower()}-{names().get(code, '')}".rstrip("-")
