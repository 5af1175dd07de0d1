"""Epochs, and how far ahead of the clock they may be."""

from __future__ import annotations

from pdsno_cli.model.epochs import SLACK, ahead_text, epoch_at, is_ahead


def test_epochs_of_one_second_differ():
    assert epoch_at(1_000.25) == 1_000_250
    assert epoch_at(1_000.251) == 1_000_251


def test_epoch_is_ahead_beyond_the_slack():
    assert not is_ahead(epoch_at(1_000 + SLACK), 1_000)
    assert is_ahead(epoch_at(1_001 + SLACK), 1_000)


def test_successor_of_a_known_epoch_is_never_ahead():
    known = epoch_at(10 * SLACK)
    assert is_ahead(known, 1_000)
    assert not is_ahead(known + 1, 1_000, known)


def test_text_names_the_days():
    assert ahead_text(epoch_at(4 * 365 * 86_400), 0).startswith("1,460 days ahead")
