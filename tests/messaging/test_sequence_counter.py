"""Numbers of messages."""

from __future__ import annotations

from pdsno_cli.messaging.sequence_counter import SequenceCounter


def test_each_stream_counts_from_one():
    sequence = SequenceCounter()
    assert [sequence.next("a"), sequence.next("a"), sequence.next("b")] == [1, 2, 1]
