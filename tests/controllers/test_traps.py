"""SNMP notifications of a local controller's devices start a cycle; the socket is real."""

from __future__ import annotations

import socket
from contextlib import closing

import pytest

from pdsno_cli.controllers.local import POLICY_WAIT, PROMPT_PAUSE
from pdsno_cli.controllers.trap_watch import LOOK, RETRY
from pdsno_cli.nib.store import Store
from tests.conftest import ONE_OF_EACH
from tests.controllers.test_local import World
from tests.discovery.snmp.test_traps import notification

DEVICE, STRANGER = "127.66.0.1", "127.66.0.99"


@pytest.fixture
def port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("", 0))
        return sock.getsockname()[1]


@pytest.fixture
def world(tmp_path, monkeypatch, port):
    with_traps = f"targets: [127.66.0.1], snmp: {{traps: {{port: {port}}}}}"
    (tmp_path / "t.yaml").write_text(ONE_OF_EACH.replace("targets: [127.66.0.1]", with_traps))
    with closing(Store.open(tmp_path / "lc.db")) as store:
        found = World(store, tmp_path / "t.yaml", monkeypatch)
        yield found
        found.local.stop()


def send(source, port, kind="linkDown", community=b"public"):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((source, 0))
        sock.sendto(notification(kind, community=community), ("127.0.0.1", port))


def test_trap_of_a_target_starts_a_cycle_soon(world, port):
    world.wait(POLICY_WAIT)
    world.end()
    send(DEVICE, port)
    world.wait(PROMPT_PAUSE)
    assert len(world.sweeps) == 2
    world.end()
    world.wait(PROMPT_PAUSE)
    assert len(world.sweeps) == 2  # the next comes with the interval again


def test_many_traps_start_one_cycle_in_a_while(world, port):
    world.wait(POLICY_WAIT)
    world.end()
    for _ in range(50):
        send(DEVICE, port)
        world.wait(LOOK / 2)
        if world.sweeps[-1] is not world.sweeps[0]:
            break
    assert len(world.sweeps) == 2
    send(DEVICE, port)  # during the cycle: another one follows it
    world.wait(LOOK)
    world.end()
    world.wait(PROMPT_PAUSE)
    assert len(world.sweeps) == 3


@pytest.mark.parametrize(
    ("source", "kind", "community"),
    [
        (STRANGER, "linkDown", b"public"),
        (DEVICE, "linkDown", b"other"),
        (DEVICE, "authenticationFailure", b"public"),
    ],
)
def test_other_notifications_start_none(world, port, source, kind, community):
    world.wait(POLICY_WAIT)
    world.end()
    send(source, port, kind, community)
    world.wait(PROMPT_PAUSE * 2)
    assert len(world.sweeps) == 1


def test_port_that_is_taken_is_a_warning_and_tried_again(tmp_path, monkeypatch, port):
    text = ONE_OF_EACH.replace("[127.66.0.1]", f"[127.66.0.1], snmp: {{traps: {{port: {port}}}}}")
    (tmp_path / "t.yaml").write_text(text)
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken,
        closing(Store.open(tmp_path / "lc.db")) as store,
    ):
        taken.bind(("", port))
        notices = []
        monkeypatch.setattr("pdsno_cli.controllers.local.LocalController._warn_watcher",
                            lambda _, text: notices.append(text))  # fmt: skip
        world = World(store, tmp_path / "t.yaml", monkeypatch)
        world.wait(POLICY_WAIT)
        assert len(world.sweeps) == 1
        taken.close()
        world.wait(RETRY)
        bound = pytest.raises(OSError, match="in use")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other, bound:
            other.bind(("", port))  # it listens by now
        world.local.stop()
    (notice,) = notices
    assert f"cannot listen for SNMP traps on UDP port {port}: Address already in use" in notice
