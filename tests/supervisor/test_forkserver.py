"""The fork server's protocol, with the server in a thread and children that end at once."""

from __future__ import annotations

import base64
import errno
import json
import os
import pickle
import socket

import pytest

from pdsno_cli.supervisor.forkserver import ForkServer


@pytest.fixture
def served():
    """A fork server that does not run, and the supervisor's end of its socket."""
    ours, theirs = socket.socketpair()
    ours.settimeout(10)
    with ours, theirs:
        yield ForkServer(theirs, None), ours


def test_a_child_that_cannot_be_forked_is_answered(served, monkeypatch):
    def refuse():
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    server, ours = served
    child, other = socket.socketpair()
    monkeypatch.setattr(os, "fork", refuse)
    with child, other:
        server._fork({"name": "lc1"}, other.detach())
        answer = json.loads(ours.recv(4096))
        assert answer == {"name": "lc1", "error": os.strerror(errno.EAGAIN)}
        assert child.recv(1) == b""  # its socket is closed


def test_a_ping_is_answered_and_half_a_request_waits(served):
    server, ours = served
    ours.sendall(b'{"ping": true}\n{"pi')
    assert server._handle_requests()
    assert json.loads(ours.recv(4096)) == {"pong": True}
    ours.sendall(b'ng": true}\n')
    assert server._handle_requests()
    assert json.loads(ours.recv(4096)) == {"pong": True}


def test_the_end_of_the_supervisor_ends_the_requests(served):
    server, ours = served
    ours.close()
    assert not server._handle_requests()


def test_a_new_job_is_for_the_children_that_follow_and_takes_no_descriptor(served):
    server, ours = served
    assert server._job is None
    data = base64.b64encode(pickle.dumps({"a": "job"})).decode()
    ours.sendall(json.dumps({"job": data}).encode() + b'\n{"ping": true}\n')
    assert server._handle_requests()
    assert json.loads(ours.recv(4096)) == {"pong": True}
    assert server._job == {"a": "job"}
