"""Dialling a broker: addresses, sources, timeouts and interruption."""

from __future__ import annotations

import errno
import socket
import ssl
import sys
import threading
import time

import pytest

from pdsno_cli.messaging.dial import Dialler, StoppedError, _refused
from pdsno_cli.messaging.self_pipe import SelfPipePoller

OWN = "127.202.2.1"
linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has these addresses")


@pytest.fixture
def server():
    with socket.create_server(("127.0.0.1", 0)) as made:
        made.settimeout(15)
        yield made


@pytest.fixture
def poller():
    made = SelfPipePoller()
    made.open()
    yield made
    made.close()


@pytest.fixture
def dial(poller):
    return Dialler(poller, lambda: False, 15, OWN).open


@linux
def test_ipv6_is_used_if_a_name_has_no_other_address(dial):
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as made:
        made.settimeout(15)
        with dial("::1", made.getsockname()[1], None):
            peer, (host, *_) = made.accept()
            peer.close()
    assert host == "::1"


@linux
def test_connection_comes_from_the_source_and_over_ipv4(server, dial):
    with dial("localhost", server.getsockname()[1], None):
        peer, (host, _) = server.accept()
        peer.close()
    assert host == OWN


@pytest.mark.parametrize(
    ("failures", "taken"),
    [
        ([], True),
        ([ConnectionRefusedError()], True),
        ([TimeoutError()], False),
        ([OSError(errno.EINVAL, "a route that drops everything")], False),
    ],
)
def test_ipv6_is_used_only_if_every_address_refused(failures, taken):
    assert _refused(failures) == taken


def test_connected_socket_never_blocks_and_sends_at_once(server, poller):
    with Dialler(poller, lambda: False, 15).open(
        "127.0.0.1", server.getsockname()[1], None
    ) as made:
        assert made.getblocking() is False
        assert made.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_refused_connection_is_an_error(poller, free_port):
    with pytest.raises(ConnectionRefusedError):
        Dialler(poller, lambda: False, 15).open("127.0.0.1", free_port, None)


def test_mute_server_times_out_in_the_tls_handshake(server, poller):
    context = ssl.create_default_context()
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        Dialler(poller, lambda: False, 0.2).open("127.0.0.1", server.getsockname()[1], context)
    assert time.monotonic() - began < 10


def test_wake_interrupts_once_stopping(server, poller):
    stopping = threading.Event()

    def stop() -> None:
        stopping.set()
        poller.wake()

    threading.Timer(0.1, stop).start()
    with pytest.raises(StoppedError):
        Dialler(poller, stopping.is_set, 3600).open(
            "127.0.0.1", server.getsockname()[1], ssl.create_default_context()
        )


def test_wake_that_arrives_with_the_connection_interrupts_the_tls_handshake(server, poller):
    stopping = iter([False])  # when the connection begins

    def stopped() -> bool:
        if next(stopping, True):
            return True
        poller.wake()
        return False

    with pytest.raises(StoppedError):
        Dialler(poller, stopped, 3600).open(
            "127.0.0.1", server.getsockname()[1], ssl.create_default_context()
        )
