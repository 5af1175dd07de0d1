"""The child's end of its socket to the supervisor."""

from __future__ import annotations

import queue
import socket
import threading

import pytest

from pdsno_cli.lint.engine import require
from pdsno_cli.model.notices import StateNotice
from pdsno_cli.runtime import supervisor_pipe
from pdsno_cli.runtime.supervisor_pipe import SupervisorPipe, decode_notice, encode_order
from pdsno_cli.spec.resolved import encode, normal
from tests.conftest import ONE_OF_EACH

NOTICE = StateNotice(controller_id="local-1", state="ready")


@pytest.fixture
def ends():
    """The child's and the supervisor's end of a socket."""
    child, supervisor = socket.socketpair()
    with child, supervisor:
        yield child, supervisor


def test_each_notice_is_one_line(ends):
    child, supervisor = ends
    pipe = SupervisorPipe(child)
    pipe.notice(NOTICE)
    pipe.notice(NOTICE)
    first, second, rest = supervisor.recv(4096).split(b"\n")
    assert decode_notice(first) == decode_notice(second) == NOTICE
    assert rest == b""


def test_notices_are_dropped_once_the_supervisor_is_gone(ends):
    child, supervisor = ends
    pipe = SupervisorPipe(child)
    supervisor.close()
    pipe.notice(NOTICE)
    pipe.notice(NOTICE)


def test_a_supervisor_that_does_not_read_blocks_a_controller_once_only(ends, monkeypatch):
    monkeypatch.setattr(supervisor_pipe, "_SEND_TIMEOUT", 0.05)
    child, supervisor = ends
    pipe = SupervisorPipe(child)
    for _ in range(10_000):  # far more than a socket holds
        pipe.notice(NOTICE)
    supervisor.settimeout(1)
    assert decode_notice(supervisor.recv(4096).split(b"\n")[0]) == NOTICE


@pytest.fixture
def exited(monkeypatch):
    """Return an event in place of the exit of this process, which every listener ends with."""
    event = threading.Event()
    monkeypatch.setattr(supervisor_pipe, "_STOP_TIMEOUT", 0.0)
    monkeypatch.setattr(supervisor_pipe.os, "_exit", lambda _code: event.set())
    return event


def test_listen_calls_stop_when_the_supervisor_closes_its_end(ends, exited):
    child, supervisor = ends
    stopped = threading.Event()
    SupervisorPipe(child).listen(reconfigure=lambda _: None, stop=stopped.set)
    supervisor.sendall(b"ignored\n")
    assert not stopped.wait(0.1)
    supervisor.close()
    assert stopped.wait(5)
    assert exited.wait(5)


def test_orders_are_passed_on_whole_however_they_arrive_and_garbage_is_logged(
    ends, exited, tmp_path
):
    file = tmp_path / "one.yaml"
    file.write_text(ONE_OF_EACH)
    topology = normal(require(str(file)))
    child, supervisor = ends
    orders: queue.Queue = queue.Queue()
    SupervisorPipe(child).listen(reconfigure=orders.put, stop=lambda: None)
    line = encode_order(7, encode(topology), ("lc9",))
    supervisor.sendall(line[:100])
    with pytest.raises(queue.Empty):
        orders.get(timeout=0.1)
    supervisor.sendall(line[100:] + b"\n" + b"garbage\n" + line + b"\n")
    for _ in range(2):
        order = orders.get(timeout=5)
        assert (order.number, order.topology, order.removed) == (7, topology, ("lc9",))
    assert orders.empty()
    supervisor.close()
    assert exited.wait(5)
