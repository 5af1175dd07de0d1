"""Echo sweeps with real packets in a network namespace of the test's own."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdsno_cli.discovery import icmp
from pdsno_cli.discovery.echo import checksum
from pdsno_cli.discovery.probe import ProbeUnavailableError

NEAR = "ip addr add 10.101.0.1/24 dev near0;"
PEER = "for n in 2 5 9; do ip addr add 10.101.0.$n/24 dev far0; done"
DATAGRAM = 'echo "0 2147483647" > /proc/sys/net/ipv4/ping_group_range;'
SWEEP = """
import json, socket, threading
from pdsno_cli.discovery import echo, icmp
sock = echo.EchoSocket(socket.AF_INET)
raw = sock.raw
sock.close()
targets = [f"10.101.0.{n}" for n in range(1, 13)] + ["10.101.0.255", "198.51.100.1"]
print(json.dumps([raw, sorted(icmp.sweep(targets, threading.Event(), timeout=0.3))]))
"""
FOUND = ["10.101.0.1", "10.101.0.2", "10.101.0.5", "10.101.0.9"]


@pytest.mark.parametrize(("setup", "raw"), [(NEAR, True), (NEAR + DATAGRAM, False)])
def test_sweep_finds_those_that_answer_and_skips_what_cannot_be_asked(in_namespace, setup, raw):
    assert in_namespace(SWEEP, near=setup, peer=PEER) == [raw, FOUND]


@pytest.mark.parametrize("setup", [NEAR, NEAR + DATAGRAM])
def test_sweeps_of_many_processes_take_only_their_own_replies(in_namespace, setup):
    code = """
import json, os, threading
from pdsno_cli.discovery import icmp
def one(first):
    targets = [f"127.101.{first}.{n}" for n in range(1, 201)] + [f"10.101.0.{first}"]
    return len(icmp.sweep(targets, threading.Event(), timeout=0.3))
pipes = []
for first in range(2, 10):
    ours, theirs = os.pipe()
    if os.fork() == 0:
        os.write(theirs, b"%d" % one(first))
        os._exit(0)
    os.close(theirs)
    pipes.append(ours)
print(json.dumps([int(os.read(pipe, 99)) for pipe in pipes]))
"""
    expected = [201 if n in (2, 5, 9) else 200 for n in range(2, 10)]
    assert in_namespace(code, near=setup, peer=PEER) == expected


def test_sweep_of_a_large_link_with_silent_neighbours_finds_all(in_namespace):
    """Unresolved neighbours occupy the send buffer; present devices must still answer."""
    code = """
import json, threading
from pdsno_cli.discovery import icmp
targets = [f"10.101.0.{n}" for n in range(2, 255)]
print(json.dumps(len(icmp.sweep(targets, threading.Event()))))
"""
    peer = "for n in $(seq 3 5 250); do ip addr add 10.101.0.$n/24 dev far0; done"
    assert in_namespace(code, near=NEAR, peer=peer) == 50


def test_sweep_without_a_network_is_unavailable(in_namespace):
    code = """
import json, threading
from pdsno_cli.discovery import icmp
from pdsno_cli.discovery.echo import checksum
from pdsno_cli.discovery.probe import ProbeUnavailableError
try:
    icmp.sweep(["198.51.100.1"], threading.Event())
except ProbeUnavailableError as exc:
    print(json.dumps(str(exc)))
"""
    assert in_namespace(code) == "no echo request could be sent: Network is unreachable"


def test_sweep_ends_early_when_cancelled():
    cancel = threading.Event()
    cancel.set()
    try:
        assert icmp.sweep(["198.51.100.1"], cancel, timeout=60) == frozenset()
    except ProbeUnavailableError:
        pytest.skip("this machine allows no ICMP socket")


@given(st.binary(min_size=0, max_size=64))
def test_checksum_of_a_packet_with_its_checksum_is_zero(data):
    padded = data + b"\0" * (len(data) % 2)
    assert checksum(padded + checksum(padded).to_bytes(2, "big")) == 0
