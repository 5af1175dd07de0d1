"""How far ahead of the clock epochs and versions may be."""

from __future__ import annotations

from pdsno_cli.model.horizon import SLACK, ahead_text, is_ahead


def test_number_is_ahead_beyond_the_slack():
    assert not is_ahead(1_000 + SLACK, 1_000)
    assert is_ahead(1_001 + SLACK, 1_000)


def test_successor_of_a_known_number_is_never_ahead():
    known = 10 * SLACK
    assert is_ahead(known, 1_000)
    assert not is_ahead(known + 1, 1_000, known)


def test_text_names_the_days():
    assert ahead_text(4 * 365 * 86_400, 0).startswith("1,460 days ahead")
