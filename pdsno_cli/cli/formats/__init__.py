"""The formats of findings: a module each, whose ``render`` makes text of a ``Report``.

A new format is one module here, one line in ``FORMATS`` and a row in ``docs/linting.md``.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pdsno_cli.cli.formats.base import Report

# Each name with its module, which is imported only if it is asked for.
FORMATS = {
    "full": "full",
    "concise": "concise",
    "json": "json_",
    "jsonl": "jsonl",
    "sarif": "sarif",
    "github": "github",
    "gitlab": "gitlab",
    "junit": "junit",
}


def render(name: str, report: Report) -> str:
    """Return the findings in the format ``name``, a key of ``FORMATS``; it may be empty."""
    module = importlib.import_module(f"{__name__}.{FORMATS[name]}")
    text: str = module.render(report)
    return text
