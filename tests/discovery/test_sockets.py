"""Errors of one target, of the network, and of a full buffer."""

from __future__ import annotations

import errno
import socket

import pytest

from pdsno_cli.discovery.sockets import BUFFER_BYTES, DatagramSender, enlarge_buffers

TARGET = ("127.0.0.1", 9)


class Socket:
    """Fails with each of ``errors`` in turn, then sends."""

    def __init__(self, *errors: int) -> None:
        self._errors = list(errors)

    def sendto(self, data: bytes, address: tuple[str, int]) -> int:
        if self._errors:
            number = self._errors.pop(0)
            raise OSError(number, errno.errorcode[number])
        return len(data)


def test_error_left_by_an_earlier_target_does_not_fail_this_one():
    sender = DatagramSender(Socket(errno.ECONNREFUSED, errno.ECONNREFUSED))
    assert sender.send(b"", TARGET)
    assert sender.error is None


def test_full_table_of_ipv6_neighbours_is_a_full_buffer():
    with pytest.raises(BlockingIOError):
        DatagramSender(Socket(errno.EINVAL)).send(b"", ("::1", 9))
    assert not DatagramSender(Socket(*[errno.EINVAL] * 3)).send(b"", TARGET)


def test_target_that_cannot_be_reached_is_no_missing_network():
    sender = DatagramSender(Socket(*[errno.EHOSTUNREACH] * 3))
    assert not sender.send(b"", TARGET)
    assert sender.error is None


def test_missing_network_is_an_error_until_a_datagram_was_sent():
    sender = DatagramSender(Socket(errno.ENETUNREACH))
    assert not sender.send(b"", TARGET)
    assert sender.error == "ENETUNREACH"
    assert sender.send(b"", TARGET)
    assert sender.error is None


@pytest.mark.parametrize("number", [errno.EAGAIN, errno.ENOBUFS, errno.ENOMEM])
def test_full_buffer_is_a_blocking_error(number):
    with pytest.raises(BlockingIOError):
        DatagramSender(Socket(number)).send(b"", TARGET)


def test_other_errors_are_raised():
    with pytest.raises(OSError, match="EBADF"):
        DatagramSender(Socket(errno.EBADF)).send(b"", TARGET)


def test_buffers_never_shrink():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        before = sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
        enlarge_buffers(sock)
        after = sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
    assert min(before, BUFFER_BYTES) <= after
