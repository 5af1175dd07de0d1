from __future__ import annotations

import socket
import threading

import pytest
from sqlalchemy.sql.compiler import SQLCompiler

from pdsno_cli.lint.engine import require
from pdsno_cli.runtime.warmup import warm_up
from tests.e2e.conftest import TOPOLOGIES


def test_warm_up_leaves_no_thread_and_opens_no_socket(monkeypatch, caplog):
    def refused(*_):
        pytest.fail("the warm-up opened a socket")

    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setattr(socket.socket, "sendto", refused)
    before = threading.enumerate()
    warm_up(require(str(TOPOLOGIES / "zone-a.yaml")))
    assert threading.enumerate() == before
    assert caplog.records == []


def test_second_warm_up_finds_every_statement_compiled(monkeypatch):
    topology = require(str(TOPOLOGIES / "zone-a.yaml"))
    warm_up(topology)
    compiled = []
    original = SQLCompiler.__init__

    def counted(compiler, *args, **kwargs):
        original(compiler, *args, **kwargs)
        compiled.append(str(compiler))

    monkeypatch.setattr(SQLCompiler, "__init__", counted)
    warm_up(topology)
    assert compiled == []


def test_a_warm_up_that_fails_is_left_to_the_children(tmp_path):
    file = tmp_path / "secret.yaml"
    file.write_text(
        "name: secret\nregions: {r: {}}\ncontrollers:\n  g: {role: global}\n"
        "  rc: {role: regional, region: r}\n  lc: {role: local, region: r, discovery: "
        "{targets: [127.66.0.1], snmp: {community: 'file:/nowhere'}}}\n"
    )
    warm_up(require(str(file)))
