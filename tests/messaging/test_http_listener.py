"""The listening socket counts its connections, and keeps a descriptor in reserve."""

from __future__ import annotations

import errno
import os
import socket
from contextlib import ExitStack, suppress

import pytest

from pdsno_cli.messaging import http_listener
from pdsno_cli.messaging.http_listener import Listener, most_connections


class Site:
    """A listener, and clients that connect to it."""

    def __init__(self, stack: ExitStack, most: int) -> None:
        self._stack = stack
        self.listener = stack.enter_context(Listener(socket.AF_INET, socket.SOCK_STREAM, most))
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(64)
        self.listener.setblocking(False)

    def connect(self, count: int) -> None:
        for _ in range(count):
            self._stack.enter_context(socket.create_connection(self.listener.getsockname(), 5))

    def accept(self, turns: int = 10) -> list[socket.socket]:
        """Accept until there is none, in each of ``turns`` of an event loop."""
        accepted = []
        for _ in range(turns):
            with suppress(BlockingIOError):
                while True:
                    accepted.append(self._stack.enter_context(self.listener.accept()[0]))
        return accepted


@pytest.fixture
def site():
    with ExitStack() as stack:
        yield lambda most: Site(stack, most)


def test_burst_is_accepted_in_portions(site, monkeypatch):
    monkeypatch.setattr(http_listener, "BURST", 4)
    made = site(100)
    made.connect(6)
    assert len(made.accept(turns=1)) == 4
    assert len(made.accept(turns=1)) == 2


def test_connections_beyond_the_bound_are_closed_until_others_end(site, monkeypatch):
    monkeypatch.setattr(http_listener, "BURST", 2)
    made = site(3)
    made.connect(8)
    accepted = made.accept()
    assert len(accepted) == 3 + 2
    accepted[0].close()
    accepted[0].close()  # counted once
    made.connect(2)
    assert len(made.accept()) == 1


def test_without_a_descriptor_a_connection_is_closed_and_the_reserve_restored(site, monkeypatch):
    made = site(10)
    made.connect(1)
    real = socket.socket.accept
    failures = [OSError(errno.EMFILE, os.strerror(errno.EMFILE))]

    def accept(self):
        if failures:
            raise failures.pop()
        return real(self)

    monkeypatch.setattr(socket.socket, "accept", accept)
    with pytest.raises(BlockingIOError):
        made.listener.accept()
    assert made.listener._spare is not None
    assert made.accept() == []  # the only connection was closed


def test_number_of_connections_depends_on_the_limit_of_open_files(monkeypatch):
    for files, expected in ((100_000, 2_000), (256, 256 - 64 - 16), (50, 8)):
        monkeypatch.setattr(http_listener, "open_files_allowed", lambda files=files: files)
        assert most_connections() == expected
