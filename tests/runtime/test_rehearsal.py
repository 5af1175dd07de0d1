from __future__ import annotations

import socket
import threading

import pytest
from sqlalchemy.sql.compiler import SQLCompiler

from pdsno_cli.lint.engine import require
from pdsno_cli.runtime import rehearsal
from tests.e2e.conftest import TOPOLOGIES


def test_rehearse_leaves_no_thread_and_speaks_to_nobody(monkeypatch, caplog):
    def refused(*_):
        pytest.fail("the rehearsal opened a socket")

    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setattr(socket.socket, "sendto", refused)
    before = threading.enumerate()
    rehearsal.rehearse(require(str(TOPOLOGIES / "zone-a.yaml")))
    assert threading.enumerate() == before
    assert caplog.records == []


def test_second_rehearsal_finds_every_statement_compiled(monkeypatch):
    topology = require(str(TOPOLOGIES / "zone-a.yaml"))
    rehearsal.rehearse(topology)
    compiled = []
    original = SQLCompiler.__init__

    def counted(compiler, *args, **kwargs):
        original(compiler, *args, **kwargs)
        compiled.append(str(compiler))

    monkeypatch.setattr(SQLCompiler, "__init__", counted)
    rehearsal.rehearse(topology)
    assert compiled == []


def test_rehearsal_that_cannot_be_is_left_to_the_children(tmp_path):
    file = tmp_path / "secret.yaml"
    file.write_text(
        "name: secret\nregions: {r: {}}\ncontrollers:\n  g: {role: global}\n"
        "  rc: {role: regional, region: r}\n  lc: {role: local, region: r, discovery: "
        "{targets: [127.66.0.1], snmp: {community: 'file:/nowhere'}}}\n"
    )
    rehearsal.rehearse(require(str(file)))
