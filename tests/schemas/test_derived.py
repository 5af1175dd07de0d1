"""The envelope's schema and the page list the message kinds of the topic map, no more, no fewer."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.schemas.derived import DERIVED

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("path", DERIVED, ids=str)
def test_what_derives_from_the_topic_map_is_up_to_date(path):
    text = (ROOT / path).read_text()
    assert text == DERIVED[path](text), "type: make derived"
