"""A choice among a few words on the command line, with a suggestion for a mistyped one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.model.errors import UsageError
from pdsno_cli.model.names import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence


def chosen_format(value: str, formats: Sequence[str], *, as_json: bool = False) -> str:
    """Return the format asked for by ``--format`` or ``--json``; UsageError for an unknown one."""
    if as_json:
        return "json"
    if value not in formats:
        hint = did_you_mean(value, formats) or f"one of: {', '.join(formats)}"
        raise UsageError(f"there is no format {value!r}: {hint}")
    return value
