"""The rate-limited engine without a protocol: order, bounds, and a sender that never stops."""

from __future__ import annotations

import socket
import threading
import tracemalloc

import pytest

from pdsno_cli.discovery.rate_limited import request_all

FAST = 1e6


class SilentSocket:
    """Implements ``ProbeSocket`` without a network; ``answers`` returns the answers to sent requests."""

    def __init__(self, answers=lambda _: ()) -> None:
        self.sent: list[int] = []
        self.answers = answers
        self._ours, self._theirs = socket.socketpair()
        self._theirs.send(b"x")  # there is always something to read

    def filenos(self) -> list[int]:
        return [self._ours.fileno()]

    def close(self) -> None:
        self._ours.close()
        self._theirs.close()

    def send(self, index: int) -> bool:
        self.sent.append(index)
        return True

    def receive(self):
        yield from self.answers(self.sent)


@pytest.fixture
def requested():
    made = []

    def run(indices, *, answers=lambda _: (), rate=FAST, tries=2, timeout=0.01, cancel=None):
        made.append(SilentSocket(answers))
        request_all(made[-1], indices, rate=rate, tries=tries, timeout=timeout,
            cancel=cancel or threading.Event())  # fmt: skip
        return made[-1].sent

    yield run
    for item in made:
        item.close()


def endless(_sent):
    while True:
        yield None


def test_request_all_gives_each_target_its_tries(requested):
    sent = requested(range(200), tries=3)
    assert sorted(sent) == sorted([*range(200)] * 3)


def test_request_all_does_not_retry_a_target_that_answered(requested):
    sent = requested((3, 5, 8), answers=lambda sent: [5] if 5 in sent else [])
    assert sorted(sent) == [3, 3, 5, 8, 8]


def test_request_all_ends_at_once_when_all_have_answered(requested):
    assert requested((1, 2), answers=list, timeout=3600.0) == [1, 2]


def test_request_all_ends_although_a_sender_never_stops(requested):
    assert sorted(requested(range(20), answers=endless)) == sorted([*range(20)] * 2)


def test_request_all_is_cancelled_although_a_sender_never_stops(requested):
    cancel = threading.Event()
    threading.Timer(0.1, cancel.set).start()
    requested(range(20), answers=endless, timeout=3600.0, cancel=cancel)


def test_request_all_ignores_an_answer_from_another_target(requested):
    assert requested((1,), answers=lambda _: [0, 7, None, 1]) == [1]


def test_request_all_of_a_million_targets_keeps_only_those_in_flight(requested):
    cancel = threading.Event()
    cancel.set()
    tracemalloc.start()
    try:
        requested(range(1 << 20), cancel=cancel)
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()


def test_request_all_without_targets_returns(requested):
    assert requested(()) == []
