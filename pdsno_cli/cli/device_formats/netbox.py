"""The inventory as CSV for NetBox's import of devices.

Manufacturers, device types, roles, platforms and sites that the file names have to exist there.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from pdsno_cli.cli.device_facts import Facts
from pdsno_cli.cli.device_formats.context import Context, unique_names

COLUMNS = (
    "name", "role", "manufacturer", "device_type", "platform", "serial", "status", "site", "description",
)  # fmt: skip
_UNKNOWN = "Unknown"
_NAME, _SERIAL, _TEXT = 64, 50, 100  # characters that NetBox stores


def render(rows: Sequence[Facts], context: Context) -> str:  # noqa: ARG001 - a format need not use it
    """Return the devices as CSV: a site is a region, a role the type, a platform the operating system."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for name, row in zip(unique_names(rows), rows, strict=True):
        writer.writerow(
            (
                name[:_NAME],
                (row["type"] or _UNKNOWN).capitalize()[:_TEXT],
                (row["vendor"] or _UNKNOWN)[:_TEXT],
                (row["model"] or _UNKNOWN)[:_TEXT],
                row["os"][:_TEXT],
                row["serial"][:_SERIAL],
                "active" if row["state"] == "active" else "offline",
                row["region"][:_TEXT],
                " ".join(part for part in (row["address"], row["mac"]) if part),
            )
        )
    return out.getvalue()
