"""The embedded broker as a process: starts, serves, warns, ends with its parent."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from pdsno_cli.broker.embedded import EmbeddedBroker
from pdsno_cli.broker.probe import probe
from pdsno_cli.model.errors import BrokerError
from tests.conftest import require

LIMIT = 1_048_576


@pytest.fixture
def make():
    made = []

    def broker(**options) -> EmbeddedBroker:
        made.append(EmbeddedBroker(max_payload=LIMIT, **options))
        return made[-1]

    yield broker
    for item in made:
        item.stop()


def gone(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True
    return stat.rsplit(")", 1)[1].split()[0] == "Z"


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
def test_start_returns_once_clients_are_let_in(make, protocol):
    broker = make(protocol=protocol)
    endpoint = broker.start()
    assert endpoint.host == "127.0.0.1"
    probe(endpoint.host, endpoint.port, protocol=protocol)
    probe(endpoint.host, endpoint.port_311, protocol="3.1.1")
    probe(endpoint.host, endpoint.port_5, protocol="5")
    assert endpoint.port == (endpoint.port_5 if protocol == "5" else endpoint.port_311)


def test_it_listens_on_loopback_only(make):
    endpoint = make().start()
    listening = subprocess.run(
        [require("ss"), "-Hltn"], capture_output=True, text=True, check=True
    ).stdout
    places = re.findall(rf"(\S+):{endpoint.port}\s", listening)
    assert places == ["127.0.0.1"]
    assert re.findall(rf"(\S+):{endpoint.port_5}\s", listening) == ["127.0.0.1"]


def test_a_port_that_is_named_is_used(make, free_port):
    assert make(port=free_port).start().port == free_port


def test_a_port_in_use_is_one_clear_line(make):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(BrokerError, match=f"port {port} is in use: stop the process") as caught:
            make(port=port).start()
    assert "\n" not in str(caught.value)


def test_it_starts_again_where_it_was_after_a_kill(make):
    broker = make()
    endpoint = broker.start()
    broker.process.kill()
    broker.process.wait()
    assert broker.start() == endpoint
    probe(endpoint.host, endpoint.port)


def test_it_starts_again_although_the_port_for_tools_is_in_use_by_now(make):
    broker = make()
    endpoint = broker.start()
    broker.stop()
    with socket.create_server((endpoint.host, endpoint.port_5)):
        again = broker.start()
    assert again.port == endpoint.port
    assert again.port_5 != endpoint.port_5
    probe(again.host, again.port_5, protocol="5")


VERSIONS = {"mqttv311": "port_311", "mqttv5": "port_5"}


@pytest.mark.parametrize("receiver", VERSIONS)
@pytest.mark.parametrize("sender", VERSIONS)
def test_messages_cross_between_the_versions(make, sender, receiver):
    endpoint = make().start()

    def client(program: str, version: str, *args: str) -> list[str]:
        port = str(getattr(endpoint, VERSIONS[version]))
        return [require(program), "-V", version, "-p", port, "-q", "1", *args]

    def publish(*args: str) -> None:
        command = client("mosquitto_pub", sender, *args)
        subprocess.run(command, check=True, timeout=10)

    publish("-t", "site/kept/a", "-m", "retained", "-r")
    arguments = ("-t", "site/+/a", "-C", "2", "-W", "20", "-F", "%t %r %p")
    command = client("mosquitto_sub", receiver, *arguments)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        # What is retained arrives once the subscription is granted.
        assert process.stdout.readline() == "site/kept/a 1 retained\n"
        publish("-t", "site/live/a", "-m", "live")
        assert process.stdout.read() == "site/live/a 0 live\n"
    assert process.returncode == 0


def test_stop_leaves_no_process_and_no_port(make):
    broker = make()
    endpoint = broker.start()
    process = broker.process
    broker.stop()
    broker.stop()
    assert process.returncode is not None
    with pytest.raises(BrokerError, match="connection refused"):
        probe(endpoint.host, endpoint.port)
    assert not any(t.name == "broker warnings" for t in threading.enumerate())


def test_a_message_over_the_limit_is_warned_of(make):
    lines, received = [], threading.Event()

    def warned(line: str) -> None:
        lines.append(line)
        received.set()

    endpoint = make(on_warning=warned).start()
    for _ in range(3):
        with socket.create_connection((endpoint.host, endpoint.port)) as sock:
            sock.sendall(b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x0a\x00\x01x")
            assert sock.recv(4) == b"\x20\x02\x00\x00"
            # The header of a PUBLISH of 200 MB is enough.
            sock.sendall(b"\x30\x80\x84\xaf\x5f\x00\x01a")
            sock.settimeout(5)
            assert sock.recv(1) == b""
    assert received.wait(5)
    # Once, however often it happens, and none of what the broker traces for each packet.
    assert len(lines) == 1
    assert "PayloadSizeLimitExceeded" in lines[0]


def test_connecting_and_disconnecting_clients_cause_no_warning(make):
    lines = []
    broker = make(on_warning=lines.append)
    endpoint = broker.start()
    for _ in range(5):
        probe(endpoint.host, endpoint.port)
        socket.create_connection((endpoint.host, endpoint.port)).close()
    broker.stop()
    assert lines == []


PARENT = """
import sys, threading
from pdsno_cli.broker.embedded import EmbeddedBroker
broker = EmbeddedBroker(max_payload=1000)
endpoint = broker.start()
print(broker.process.pid, endpoint.port, flush=True)
threading.Event().wait()
"""


def test_it_ends_with_its_parent_even_when_that_is_killed():
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE) as parent:
        pid, port = map(int, parent.stdout.readline().split())
        probe("127.0.0.1", port)
        parent.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 5
    while not gone(pid):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_ctrl_c_for_the_process_group_does_not_reach_it(make):
    broker = make()
    broker.start()
    assert os.getpgid(broker.process.pid) != os.getpgid(0)


def test_it_may_open_as_many_files_as_the_machine_permits(make):
    broker = make()
    broker.start()
    limits = Path(f"/proc/{broker.process.pid}/limits").read_text()
    soft, hard = re.search(r"Max open files +(\d+) +(\d+)", limits).groups()
    assert int(soft) == min(int(hard), 65_536)


def test_clients_beyond_the_limit_wait_for_a_free_descriptor(make):
    endpoint = make(files=64).start()
    strangers = []
    try:
        for _ in range(100):
            sock = socket.create_connection((endpoint.host, endpoint.port))
            strangers.append(sock)
        with pytest.raises(BrokerError):
            probe(endpoint.host, endpoint.port, timeout=0.5)
    finally:
        for sock in strangers:
            sock.close()
    deadline = time.monotonic() + 15  # it forgets those who never say CONNECT after 10 s
    while True:
        try:
            probe(endpoint.host, endpoint.port, timeout=0.5)
        except BrokerError:
            assert time.monotonic() < deadline
        else:
            break


def test_a_topic_root_that_needs_quoting_is_taken(make):
    endpoint = make(root='pl"ant\\ü/x').start()
    probe(endpoint.host, endpoint.port)
