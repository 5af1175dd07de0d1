from __future__ import annotations

import shutil

import pytest

from pdsno_cli.system import local_routes
from tests.conftest import in_namespace

LINK = """
import json, socket, subprocess
from pdsno_cli.system.local_routes import block, blocked, unblock
A, B = "127.202.1.1", "127.202.1.2"
server = socket.create_server((A, 0))
def call(source="127.0.0.1"):
    try:
        with socket.create_connection(server.getsockname(), 5, source_address=(source, 0)):
            return "connected"
    except OSError as exc:
        return exc.strerror
said = []
"""


def test_blackhole_blocks_an_address_for_its_owner_and_others_until_it_is_unblocked():
    code = """
said += [call(A), block("blackhole", A), call(A), call(B), unblock("blackhole", A), call(A)]
print(json.dumps(said))
"""
    assert in_namespace(LINK + code) == [
        "connected",
        None,
        "Cannot assign requested address",
        "Invalid argument",
        None,
        "connected",
    ]


def test_blackhole_stalls_an_open_connection_without_losing_data():
    code = """
line = socket.create_connection(server.getsockname(), 5, source_address=(B, 0))
peer, _ = server.accept()
peer.settimeout(0.3)
block("blackhole", B)
line.sendall(b"x")
try:
    said.append(peer.recv(1).decode())
except TimeoutError:
    said.append("nothing came")
unblock("blackhole", B)
peer.settimeout(30)
said.append(peer.recv(1).decode())
print(json.dumps(said))
"""
    assert in_namespace(LINK + code) == ["nothing came", "x"]


def test_blocked_returns_the_routes_of_that_kind_and_of_pdsno_alone():
    code = """
block("blackhole", A)
block("prohibit", B)
block("blackhole", "127.202.1.3")
unblock("blackhole", "127.202.1.3")
strange = ["ip", "route", "add", "blackhole", "127.202.1.4/32", "table", "local", "proto", "78"]
subprocess.run(strange, check=True)
print(json.dumps([sorted(blocked("blackhole")), sorted(blocked("prohibit"))]))
"""
    assert in_namespace(LINK + code) == [["127.202.1.1"], ["127.202.1.2"]]


def test_unblock_and_block_are_harmless_when_repeated():
    code = """
said += [unblock("blackhole", A), block("blackhole", A), block("blackhole", A)]
said += [unblock("blackhole", A), call(A)]
print(json.dumps(said))
"""
    assert in_namespace(LINK + code) == [None] * 4 + ["connected"]


def test_block_without_the_privilege_returns_the_reason_and_does_nothing():
    code = """
print(json.dumps([block("blackhole", A), call(A), sorted(blocked("blackhole"))]))
"""
    said, seen, taken = in_namespace(LINK + code, without="-net_admin")
    assert said == "needs CAP_NET_ADMIN and iproute2 (RTNETLINK answers: Operation not permitted)"
    assert (seen, taken) == ("connected", [])


def test_unblock_returns_the_reason_of_a_failure():
    code = """
import os, sys
block("blackhole", A)
later = f"print(__import__('json').dumps(unblock('blackhole', '{A}')))"
os.execvp("setpriv", ["setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin",
          sys.executable, "-c", "from pdsno_cli.system.local_routes import unblock; " + later])
"""
    assert in_namespace(LINK + code) == "RTNETLINK answers: Operation not permitted"


def test_block_without_iproute2_returns_the_reason(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    assert local_routes.block("blackhole", "127.202.1.1") == (
        "needs CAP_NET_ADMIN and iproute2 (ip is not installed)"
    )
    assert local_routes.blocked("blackhole") == frozenset()


def test_block_returns_the_reason_if_iproute2_cannot_be_run(monkeypatch, tmp_path):
    monkeypatch.setattr(shutil, "which", lambda *_, **__: str(tmp_path))
    assert local_routes.block("blackhole", "127.202.1.1") == (
        "needs CAP_NET_ADMIN and iproute2 (ip cannot be run: Permission denied)"
    )


def test_other_systems_have_no_such_routes(monkeypatch):
    monkeypatch.setattr("sys.platform", "darwin")
    monkeypatch.setattr(shutil, "which", lambda *_, **__: pytest.fail("ip was looked for"))
    assert "only Linux" in str(local_routes.block("blackhole", "127.202.1.1"))
    assert local_routes.unblock("blackhole", "127.202.1.1") is None
    assert local_routes.blocked("blackhole") == frozenset()
