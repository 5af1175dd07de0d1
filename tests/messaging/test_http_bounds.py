"""Limits of an HTTP receiver for unknown clients: connections, time and descriptors."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from contextlib import ExitStack

import httpx
import pytest

from pdsno_cli.messaging import http_bounds, http_server
from pdsno_cli.messaging.http_wire import PATH, body_limit
from tests.messaging.http_site import Parent
from tests.messaging.samples import LIMIT

ASK = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n"
WAIT = 1.0


@pytest.fixture
def short_wait(monkeypatch):
    monkeypatch.setattr(http_bounds, "REQUEST_WAIT", WAIT)


@pytest.fixture
def parent(monkeypatch):
    monkeypatch.setattr(http_server, "most_connections", lambda: 8)
    made = Parent()
    yield made
    made.stop()


@pytest.fixture
def connect(parent):
    with ExitStack() as stack:

        def make(source: str = "127.0.0.1") -> socket.socket:
            made = socket.create_connection(
                ("127.0.0.1", parent.server.port), 15, source_address=(source, 0)
            )
            stack.enter_context(made)
            return made

        yield make


def ended(connection: socket.socket) -> bool:
    """Return True once the other side closes; fails where it does not."""
    try:
        return connection.recv(1000) == b""
    except ConnectionResetError:
        return True


def answers(connection: socket.socket) -> bool:
    """Return True if a whole request on an open connection is answered."""
    try:
        connection.sendall(ASK)
        answer = b""
        while not answer.endswith(b"}"):
            piece = connection.recv(2000)
            if not piece:
                return False
            answer += piece
    except OSError:
        return False
    return b" 200 " in answer


def answered_soon(connect, source: str = "127.0.0.1") -> bool:
    """Return True once a new connection is answered; in a burst, some are closed at once."""
    return any(answers(connect(source)) for _ in range(100))


@pytest.mark.usefixtures("short_wait")
@pytest.mark.parametrize("sent", [b"", b"GET /healthz HTTP/1.1\r\nhost:"])
def test_connection_without_a_complete_request_is_closed(connect, sent):
    connection = connect()
    connection.sendall(sent)
    assert ended(connection)


@pytest.mark.usefixtures("short_wait")
def test_connection_with_dripping_headers_is_closed(connect):
    connection = connect()
    connection.settimeout(WAIT / 10)
    for _ in range(1000):
        try:
            connection.sendall(b"x")
            if connection.recv(1000) == b"":
                return
        except TimeoutError:
            continue
        except OSError:
            return
    pytest.fail("it is still open")


@pytest.mark.usefixtures("short_wait")
def test_connection_that_was_answered_is_kept_for_longer(connect):
    connection = connect()
    assert answers(connection)
    time.sleep(2 * WAIT)
    assert answers(connection)
    connection.sendall(ASK[:10])  # but not for the rest of a second request
    assert ended(connection)


def test_body_over_the_limit_is_refused_unread(connect):
    connection = connect()
    head = f"POST {PATH} HTTP/1.1\r\nhost: x\r\ncontent-length: {body_limit(LIMIT) + 1}\r\n\r\n"
    connection.sendall(head.encode())
    assert b" 413 " in connection.recv(2000)


def test_connections_from_one_address_are_limited_to_its_share(connect):
    mine = connect()
    assert answers(mine)
    theirs = [connect("127.5.0.1") for _ in range(30)]
    assert answered_soon(connect, "127.5.0.1")
    assert sum(map(answers, theirs)) <= 4
    assert answers(mine)


def test_new_connection_replaces_the_one_idle_for_longest(connect):
    many = [connect(f"127.5.0.{number}") for number in range(1, 31)]
    assert answered_soon(connect)
    assert sum(map(answers, many)) <= 8


SCRIPT = """
import logging, resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (128, 128))
logging.basicConfig(stream=sys.stderr)
from tests.messaging.http_site import Parent
parent = Parent()
print(parent.server.port, flush=True)
sys.stdin.readline()
files = []
try:
    while len(files) < int(sys.argv[1]):
        files.append(open("/dev/null"))
except OSError:
    pass
print(len(files), flush=True)
sys.stdin.readline()
parent.stop()
"""


@pytest.fixture
def child(tmp_path):
    """Return a function that starts a receiver in a process that may open 128 files.

    At a line it opens so many more, and says how many it could.
    """
    started = []

    def start(files: int) -> tuple[subprocess.Popen, int]:
        with (tmp_path / "log").open("wb") as log:
            made = subprocess.Popen(
                [sys.executable, "-c", SCRIPT, str(files)], stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=log, text=True,
            )  # fmt: skip
        started.append(made)
        return made, int(made.stdout.readline())

    yield start
    for made in started:
        made.communicate("\n", timeout=15)
        assert made.returncode == 0


def opened(child: subprocess.Popen) -> int:
    child.stdin.write("\n")
    child.stdin.flush()
    return int(child.stdout.readline())


def test_idle_connections_leave_descriptors_free_and_log_little(child, tmp_path):
    process, port = child(30)  # as many as the broker and the store may need
    health = f"http://127.0.0.1:{port}/healthz"
    with ExitStack() as stack:
        for _ in range(200):
            stack.enter_context(socket.create_connection(("127.0.0.1", port), 15))
        assert httpx.get(health, timeout=15, trust_env=False).status_code == 200
        assert opened(process) == 30
        assert httpx.get(health, timeout=15, trust_env=False).status_code == 200
    assert httpx.get(health, timeout=15, trust_env=False).json()["epoch"] == 7
    assert (tmp_path / "log").stat().st_size < 2000, (tmp_path / "log").read_text()[:2000]


def test_connection_is_closed_without_a_free_descriptor_and_logged_once(child, tmp_path):
    process, port = child(200)
    with socket.create_connection(("127.0.0.1", port), 15) as first:
        assert answers(first)  # so that the server is loaded
        assert opened(process) < 128
        for _ in range(50):
            with socket.create_connection(("127.0.0.1", port), 15) as other:
                assert ended(other)
        assert answers(first)
    text = (tmp_path / "log").read_text()
    assert text.count("connection was closed") == 1
    assert len(text) < 2000
