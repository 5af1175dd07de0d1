"""Each controller comes from a loopback address of its own, over MQTT and over HTTP."""

from __future__ import annotations

import ipaddress
import socket
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from .conftest import until
from .test_fallback import all_on
from .test_fault_command import drill

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has these addresses")
ESTABLISHED = "01"  # include/net/tcp_states.h


def place(text: str) -> tuple[str, int]:
    """Return host and port of an entry of proc_net_tcp(5): hexadecimal, the host's bytes reversed."""
    host, _, port = text.partition(":")
    return socket.inet_ntoa(bytes.fromhex(host)[::-1]), int(port, 16)


def connections(pid: int) -> set[tuple[tuple[str, int], tuple[str, int]]]:
    """Return both ends of every TCP connection over IPv4 that a process has, its own first."""
    ours = set()
    for item in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            ours.add(str(item.readlink()))
    lines = Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]
    return {
        (place(fields[1]), place(fields[2]))
        for fields in map(str.split, lines)
        if fields[3] == ESTABLISHED and f"socket:[{fields[9]}]" in ours
    }


def pids(site) -> dict[str, int]:
    return {row["id"]: row["pid"] for row in site.status()["controllers"]}


def test_mqtt_and_http_come_from_addresses_that_differ_and_are_the_same_in_the_next_run(site):
    site.write(fallbacks="[mqtt, http]")
    run = site.up().ready()
    status = site.status()
    broker = ("127.0.0.1", status["broker_port"])
    own = {}
    for name, pid in pids(site).items():
        ((own[name], _),) = {ours for ours, theirs in connections(pid) if theirs == broker}
    assert len(set(own.values())) == 4
    network = ipaddress.ip_network("127.192.0.0/11")
    assert all(ipaddress.ip_address(address) in network for address in own.values())
    served = {path.name: path.read_text().strip() for path in (site.state / "http").iterdir()}
    assert {name: text.partition(":")[0] for name, text in served.items()} == {
        name: own[name] for name in ("g1", "rc1")
    }

    away = drill(site, "broker", str(site.file), "kill", "--for", "10m")
    away.wait_line("the broker: killed for 600 s")
    all_on(site, "http", 20)
    host, _, port = served["rc1"].partition(":")
    for name in ("lc1", "lc2"):
        pid = pids(site)[name]

        def found(pid=pid) -> set[str]:
            return {ours[0] for ours, theirs in connections(pid) if theirs == (host, int(port))}

        assert until(found, "a connection to the regional controller") == {own[name]}
    away.interrupt()
    assert away.end() == 130
    run.interrupt()
    assert run.end() == 0, run.lines

    site.up().ready()
    again = {name: next(iter(connections(pid)))[0][0] for name, pid in pids(site).items()}
    assert again == own
