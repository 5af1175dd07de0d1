"""Schemas and pages list the entries of the registries, no more and no fewer."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.derived import DERIVED

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("path", DERIVED, ids=str)
def test_file_that_derives_from_the_registries_is_up_to_date(path):
    text = (ROOT / path).read_text()
    assert text == DERIVED[path](text), "type: make derived"
