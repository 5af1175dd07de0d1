"""Topic matching against paho's, and the levels that ids may be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.client import topic_matches_sub

from pdsno_cli.model.topics import MAX_TOPIC_BYTES, level_problem, matches

LEVEL = st.sampled_from(["", "a", "b", "$x", "zone-A"])
NAMES = st.lists(LEVEL, min_size=1, max_size=4).map("/".join).filter(bool)
FILTERS = (
    st.tuples(st.lists(st.one_of(LEVEL, st.just("+")), min_size=1, max_size=4), st.booleans())
    .map(lambda made: "/".join([*made[0], *(["#"] if made[1] else [])]))
    .filter(bool)
)


@given(FILTERS, NAMES)
def test_matches_as_paho_does(topic_filter, topic):
    assert matches(topic_filter, topic) == topic_matches_sub(topic_filter, topic)


@given(st.text(max_size=20))
def test_level_is_valid_or_has_a_problem(text):
    legal = bool(text) and not set(text) & set("/+#\0") and not text.startswith("$")
    try:
        text.encode()
    except UnicodeEncodeError:
        legal = False
    assert (level_problem(text) is None) == legal


@pytest.mark.parametrize("text", ["x" * MAX_TOPIC_BYTES, "é" * (MAX_TOPIC_BYTES // 2)])
def test_level_is_measured_in_bytes(text):
    assert level_problem(text) is None
    assert level_problem(text + "é") is not None
