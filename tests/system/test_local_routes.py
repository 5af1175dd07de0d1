from __future__ import annotations

import shutil

import pytest

from pdsno_cli.system import local_routes
from tests.conftest import in_namespace

LINK = """
import json, socket, subprocess
from pdsno_cli.system.local_routes import give_back, take_away, taken_away
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


def test_blackhole_takes_an_address_from_its_owner_and_from_others_until_it_is_given_back():
    code = """
said += [call(A), take_away("blackhole", A), call(A), call(B), give_back("blackhole", A), call(A)]
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


def test_blackhole_stops_a_connection_that_is_open_and_loses_nothing_of_it():
    code = """
line = socket.create_connection(server.getsockname(), 5, source_address=(B, 0))
peer, _ = server.accept()
peer.settimeout(0.3)
take_away("blackhole", B)
line.sendall(b"x")
try:
    said.append(peer.recv(1).decode())
except TimeoutError:
    said.append("nothing came")
give_back("blackhole", B)
peer.settimeout(30)
said.append(peer.recv(1).decode())
print(json.dumps(said))
"""
    assert in_namespace(LINK + code) == ["nothing came", "x"]


def test_taken_away_are_those_of_the_kind_that_are_ours():
    code = """
take_away("blackhole", A)
take_away("prohibit", B)
take_away("blackhole", "127.202.1.3")
give_back("blackhole", "127.202.1.3")
strange = ["ip", "route", "add", "blackhole", "127.202.1.4/32", "table", "local", "proto", "78"]
subprocess.run(strange, check=True)
print(json.dumps([sorted(taken_away("blackhole")), sorted(taken_away("prohibit"))]))
"""
    assert in_namespace(LINK + code) == [["127.202.1.1"], ["127.202.1.2"]]


def test_giving_back_what_is_there_is_harmless_and_twice_is_once():
    code = """
said += [give_back("blackhole", A), take_away("blackhole", A), take_away("blackhole", A)]
said += [give_back("blackhole", A), call(A)]
print(json.dumps(said))
"""
    assert in_namespace(LINK + code) == [None] * 4 + ["connected"]


def test_without_the_privilege_it_is_said_and_nothing_happens():
    code = """
print(json.dumps([take_away("blackhole", A), call(A), sorted(taken_away("blackhole"))]))
"""
    said, seen, taken = in_namespace(LINK + code, without="-net_admin")
    assert said == "needs CAP_NET_ADMIN and iproute2 (RTNETLINK answers: Operation not permitted)"
    assert (seen, taken) == ("connected", [])


def test_what_cannot_be_given_back_is_said():
    code = """
import os, sys
take_away("blackhole", A)
later = f"print(__import__('json').dumps(give_back('blackhole', '{A}')))"
os.execvp("setpriv", ["setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin",
          sys.executable, "-c", "from pdsno_cli.system.local_routes import give_back; " + later])
"""
    assert in_namespace(LINK + code) == "RTNETLINK answers: Operation not permitted"


def test_without_iproute2_it_is_said_and_nothing_is_taken(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    assert local_routes.take_away("blackhole", "127.202.1.1") == (
        "needs CAP_NET_ADMIN and iproute2 (ip is not installed)"
    )
    assert local_routes.taken_away("blackhole") == frozenset()


def test_a_program_that_cannot_be_run_is_said(monkeypatch, tmp_path):
    monkeypatch.setattr(shutil, "which", lambda *_, **__: str(tmp_path))
    assert local_routes.take_away("blackhole", "127.202.1.1") == (
        "needs CAP_NET_ADMIN and iproute2 (ip cannot be run: Permission denied)"
    )


def test_other_systems_have_no_such_routes(monkeypatch):
    monkeypatch.setattr("sys.platform", "darwin")
    monkeypatch.setattr(shutil, "which", lambda *_, **__: pytest.fail("ip was looked for"))
    assert "only Linux" in str(local_routes.take_away("blackhole", "127.202.1.1"))
    assert local_routes.give_back("blackhole", "127.202.1.1") is None
    assert local_routes.taken_away("blackhole") == frozenset()
