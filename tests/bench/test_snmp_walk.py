"""How long a walk of 50 ifTables takes, beside net-snmp's snmpbulkwalk, ten at a time."""

from __future__ import annotations

import socket
import statistics
import subprocess
import sys
import threading
import time

import pytest

from pdsno_cli.discovery.snmp.details.conversations import Conversations
from pdsno_cli.discovery.snmp.details.walk import Agent, walk
from pdsno_cli.discovery.sockets import enlarge_buffers
from pdsno_cli.discovery.udp import UdpSockets
from tests.conftest import require

FIRST, HOSTS, ROWS, COLUMNS = "127.101.60.1", 50, 47, 22
ADDRESSES = [f"127.101.60.{n}" for n in range(1, HOSTS + 1)]
IF_TABLE = (1, 3, 6, 1, 2, 1, 2, 2, 1)
MOST = 1.2  # times as long
RUNS = 5


@pytest.fixture
def port():
    """The agents, in a process of their own."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((FIRST, 0))
        found = sock.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.discovery.snmp.table_agent", FIRST, str(HOSTS), str(found), str(ROWS)],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout.readline() == "listening\n"
        yield found
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


def ours(port):
    """Return the seconds and the rows of a walk, in this process as in a controller."""
    began = time.perf_counter()
    columns = {(*IF_TABLE, column): 4096 for column in range(1, COLUMNS + 1)}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        enlarge_buffers(sock)
        conversations = Conversations(
            UdpSockets([sock]), dict.fromkeys(ADDRESSES, b"public"), port=port, timeout=1.0, tries=2
        )
        tasks = ((address, walk(columns, Agent())) for address in ADDRESSES)
        found = conversations.run(tasks, threading.Event(), time.monotonic() + 60)
    rows = sum(len(column) for tables in found.values() for column in tables.values())
    return time.perf_counter() - began, rows


def theirs(port):
    """Return the seconds and the rows of as many processes of snmpbulkwalk."""
    command = (
        f"printf '%s\\n' {' '.join(ADDRESSES)} | xargs -P 10 -I A "
        f"{require('snmpbulkwalk')} -v2c -c public -On -Oq udp:A:{port} {'.'.join(map(str, IF_TABLE))}"
    )
    began = time.perf_counter()
    done = subprocess.run(command, shell=True, check=True, capture_output=True)
    return time.perf_counter() - began, done.stdout.count(b"\n")


@pytest.mark.bench
def test_walk_of_fifty_interface_tables(port):
    ours(port)  # both sides find the agents warm
    mine, others = [], []
    for _ in range(RUNS):
        seconds, rows = ours(port)
        assert rows == HOSTS * ROWS * COLUMNS
        mine.append(seconds)
        seconds, rows = theirs(port)
        assert rows == HOSTS * ROWS * COLUMNS
        others.append(seconds)
    own, other = statistics.median(mine), statistics.median(others)
    print(  # noqa: T201 - a bench prints
        f"\n{HOSTS * ROWS * COLUMNS:,} rows of {HOSTS} hosts: {own:.3f} s, snmpbulkwalk {other:.3f} s, "
        f"{own / other:.2f} times as long"
    )
    assert own <= MOST * other
