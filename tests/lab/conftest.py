"""A lab that is being served, on a port of the test's own."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager

import pytest

from pdsno_cli.lab.plan import Segment, plan
from pdsno_cli.lab.server import Lab


def free_udp_port(address):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((address, 0))
        return probe.getsockname()[1]


@contextmanager
def served(lab):
    stop = threading.Event()
    with lab:
        thread = threading.Thread(target=lab.serve, args=(stop,))
        thread.start()
        try:
            yield lab
        finally:
            stop.set()
            thread.join()


@pytest.fixture
def serve():
    """Return a context manager that opens and serves a lab."""
    return served


@pytest.fixture
def targets():
    return [f"127.102.1.{n}" for n in range(1, 7)]


@pytest.fixture
def port(targets):
    return free_udp_port(targets[0])


@pytest.fixture
def lab(targets, port):
    """Six devices, three of them with SNMP: at .1, .3 and .5."""
    segment = Segment(targets=targets, port=port, community="lab")
    with served(Lab(plan([segment], devices=6, snmp=3))) as running:
        yield running
