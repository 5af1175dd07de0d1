"""The inventory as CSV (RFC 4180), every fact a column."""

from __future__ import annotations

from collections.abc import Sequence

from pdsno_cli.cli.device_facts import FIELDS, Facts, csv_text
from pdsno_cli.cli.device_formats.context import Context


def render(rows: Sequence[Facts], context: Context) -> str:  # noqa: ARG001 - a format need not use it
    """Return the devices as CSV."""
    return csv_text(rows, FIELDS)
