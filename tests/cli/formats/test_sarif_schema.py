"""SARIF against the schema that Microsoft's package for tests ships."""

from __future__ import annotations

import json

import pytest
from jsonschema import Draft7Validator

from pdsno_cli.cli.formats import render
from tests.cli.formats.test_formats import CLEAN, ODD, REPORT
from tests.nodejs import package


@pytest.mark.parametrize("report", [REPORT, CLEAN, ODD])
def test_sarif_is_valid(report):
    path = package("@microsoft/jest-sarif") / "lib" / "schemas" / "sarif-2.1.0-rtm.5.json"
    schema = json.loads(path.read_text("utf-8-sig"))
    errors = Draft7Validator(schema).iter_errors(json.loads(render("sarif", report)))
    assert [error.message for error in errors] == []
