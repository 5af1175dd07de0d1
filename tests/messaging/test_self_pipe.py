"""A poll that another thread interrupts, on real sockets."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from pdsno_cli.messaging.self_pipe import READ, WRITE, SelfPipePoller


@pytest.fixture
def poller():
    made = SelfPipePoller()
    made.open()
    yield made
    made.close()


def test_wake_ends_a_wait_of_another_thread(poller):
    threading.Timer(0.05, poller.wake).start()
    began = time.monotonic()
    assert poller.wait(READ, 10) == 0
    assert time.monotonic() - began < 5


def test_wakes_before_a_wait_end_that_one_alone(poller):
    poller.wake()
    poller.wake()
    assert poller.wait(READ, 10) == 0
    began = time.monotonic()
    assert poller.wait(READ, 0.05) == 0
    assert time.monotonic() - began >= 0.05


def test_wait_returns_what_the_watched_socket_is_ready_for(poller):
    one, other = socket.socketpair()
    with one, other:
        poller.watch(one)
        assert poller.wait(READ, 0) == 0
        assert poller.wait(READ | WRITE, 10) == WRITE
        other.send(b"x")
        assert poller.wait(READ | WRITE, 10) == READ | WRITE
        other.close()
        assert poller.wait(READ, 10) == READ


def test_socket_is_no_longer_watched_after_it_was_closed(poller):
    one, other = socket.socketpair()
    poller.watch(one)
    other.send(b"x")
    one.close()
    other.close()
    poller.watch(None)
    assert poller.wait(READ, 0) == 0


def test_wake_of_a_closed_poller_has_no_effect():
    made = SelfPipePoller()
    made.wake()
    made.open()
    made.close()
    made.wake()
