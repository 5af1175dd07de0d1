"""The schema and the documentation list the probes and transports of the registries, no more and no fewer."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.discovery.derived import DERIVED

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("path", DERIVED, ids=str)
def test_what_derives_from_the_registry_is_up_to_date(path):
    text = (ROOT / path).read_text()
    assert text == DERIVED[path](text), "type: make derived"
