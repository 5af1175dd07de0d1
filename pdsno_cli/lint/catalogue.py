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


@cache
def documentation() -> str | None:
    """Return the address of the documentation's folder: ``Documentation`` of the project's URLs.

    They are in ``pyproject.toml``; None while it has none.
    """
    from importlib.metadata import PackageNotFoundError, metadata

    try:
        urls = metadata("pdsno").get_all("Project-URL") or []
    except PackageNotFoundError:  # run from a folder, without an installation
        return None
    labelled = dict(url.split(", ", 1) for url in urls)
    return labelled.get("Documentation")


def help_uri(code: str, folder: str | None) -> str:
    """Return the address of the section that explains ``code``, below the documentation's folder.

    Without one it is a name, which no browser opens: what it would show goes along with it.
    """
    if folder is None:
        return f"urn:pdsno:rule:{code}"
    return f"{folder.rstrip('/')}/rules.md#{code.lower()}-{names().get(code, '')}".rstrip("-")
