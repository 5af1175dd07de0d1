"""Closed UDP ports on loopback."""

from __future__ import annotations

import select
import socket
import sys

import pytest

from pdsno_cli.discovery import unreachable

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="IP_RECVERR is Linux's")


def test_closed_port_is_reported_with_its_address():
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other,
    ):
        other.bind(("127.0.0.1", 0))
        target = other.getsockname()
        other.close()
        sock.setblocking(False)
        unreachable.enable(sock)
        sock.sendto(b"x", target)
        poller = select.poll()
        poller.register(sock, select.POLLERR)
        assert poller.poll(5_000)
        assert list(unreachable.closed_ports(sock)) == [target]
        assert list(unreachable.closed_ports(sock)) == []


def test_socket_without_errors_has_no_closed_ports():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        assert list(unreachable.closed_ports(sock)) == []
