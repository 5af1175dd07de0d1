"""The inventory as CSV: every fact, and what NetBox imports."""

from __future__ import annotations

import csv
import io

from pdsno_cli.cli.device_facts import FIELDS
from pdsno_cli.cli.device_formats import comma_separated, netbox
from tests.cli.device_formats.samples import CONTEXT, EVIL, NETWORK


def read(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_csv_has_a_column_for_every_fact_and_a_row_for_every_device():
    rows = read(comma_separated.render([*NETWORK, *EVIL], CONTEXT))
    assert tuple(rows[0]) == FIELDS
    assert len(rows) == len(NETWORK) + len(EVIL)
    assert (rows[0]["name"], rows[0]["serial"], rows[0]["state"]) == ("core", "FOC1", "active")
    assert rows[-3]["name"] == "a,b\n\"c'\t: #"


def test_csv_has_no_cell_that_a_spreadsheet_takes_for_a_formula():
    rows = read(comma_separated.render(EVIL, CONTEXT))
    assert rows[0]["vendor"] == "'=cmd|' /C calc'!A0"
    assert rows[-1]["name"] == "'-x"


def test_netbox_rows_have_what_an_import_requires():
    rows = read(netbox.render(NETWORK, CONTEXT))
    assert rows[0] == {
        "name": "core", "role": "Switch", "manufacturer": "Cisco", "device_type": "C9300-48P",
        "platform": "IOS-XE", "serial": "FOC1", "status": "active", "site": "zone-A",
        "description": "10.0.0.1 02:00:00:00:00:01",
    }  # fmt: skip
    for row in rows:
        assert all(row[n] for n in ("role", "manufacturer", "device_type", "status", "site"))
    assert rows[-1]["status"] == "offline"
    assert len({row["name"] for row in rows}) == len(rows)
