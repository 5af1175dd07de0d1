"""Connections that come from an address of their own, and a server on one that is taken away."""

from __future__ import annotations

import socket
import sys

import pytest

from tests.conftest import in_namespace
from tests.messaging.http_site import make_client
from tests.messaging.recorder import Recorder

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has these addresses")
OWN = "127.202.2.1"


@pytest.fixture
def server():
    with socket.create_server(("127.0.0.1", 0)) as made:
        made.settimeout(15)
        yield made


def test_mqtt_connects_from_its_source(server, connect):
    connect(server.getsockname()[1], "one", source=OWN)
    peer, (host, _) = server.accept()
    peer.close()
    assert host == OWN


def test_http_connects_from_its_source(server):
    client = make_client(f"127.0.0.1:{server.getsockname()[1]}", source=OWN)
    client.start(Recorder())
    try:
        peer, (host, _) = server.accept()
        peer.close()
    finally:
        client.stop()
    assert host == OWN


def test_http_is_served_again_once_its_address_is_back(tmp_path):
    code = f"""
import json, socket
from pathlib import Path
from pdsno_cli.messaging.http_server import HttpServer
from pdsno_cli.system.local_routes import block, unblock
block("blackhole", "{OWN}")
server = HttpServer(host="{OWN}", address_file=Path("{tmp_path}/told"))
server.start(None)
unblock("blackhole", "{OWN}")
with socket.create_connection(("{OWN}", server.port), 15) as line:
    print(json.dumps(line.getpeername()[0]), flush=True)
"""
    assert in_namespace(code) == OWN
