from __future__ import annotations

import socket
import sys

import pytest

from pdsno_cli.system.reserved_port import ReservedPort
from tests.conftest import free_port

HOST = "127.0.0.1"


def test_a_port_in_use_cannot_be_reserved():
    with socket.create_server((HOST, 0)) as server, pytest.raises(OSError, match="in use"):
        ReservedPort(HOST, server.getsockname()[1])


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux shares a bound port")
def test_a_server_listens_on_a_reserved_port_and_nobody_else_gets_it():
    port = free_port()
    with ReservedPort(HOST, port):
        with socket.socket() as other, pytest.raises(OSError, match="in use"):
            other.bind((HOST, port))  # as a connection would that leaves from there
        with (
            socket.create_server((HOST, port)) as server,
            socket.create_connection((HOST, port)) as client,
            server.accept()[0] as accepted,
        ):
            assert accepted.getpeername() == client.getsockname()


def test_the_port_is_free_again_afterwards():
    port = free_port()
    ReservedPort(HOST, port).close()
    with socket.socket() as other:
        other.bind((HOST, port))
