"""``pdsno fault link``: a controller is cut off, in a network namespace of each test's own."""

from __future__ import annotations

import json
import os
import signal

import pytest

from tests.conftest import require

from .conftest import until
from .test_fallback import all_on
from .test_fault_command import drill
from .test_mosquitto import Mosquitto
from .test_namespace import make_namespace, namespace

__all__ = ["make_namespace", "namespace"]  # fixtures
BROKER = "{embedded: true, keepalive: 2s}"


@pytest.fixture
def cut_off(namespace):
    """Return the addresses that are cut off in the namespace now."""
    return lambda: namespace.ip("route", "show", "table", "local", "type", "blackhole").split("\n")[
        :-1
    ]


@pytest.fixture
def live(namespace, site):
    """A small running topology with short timeouts."""
    site.write(broker=BROKER, fallbacks="[mqtt, http]", interval="500ms")
    site.run = site.up(prefix=namespace.prefix).ready()
    until(lambda: site.row("lc2")["committed_at_top"], "the first cycle at the top")
    return site


def cut(site, name: str, *words: str):
    """Cut a controller off for longer than any test takes; return the drill."""
    run = drill(site, "link", str(site.file), name, "drop", "--for", "10m", *words)
    run.wait_line(f"{name}: cut off for 600 s")
    return run


def meanwhile(run, name: str) -> list[str]:
    """Return the lines of ``pdsno up`` about a controller while it was cut off."""
    began = next(number for number, line in enumerate(run.lines) if f"fault: drop {name}" in line)
    ended = run.lines.index(f"the fault of {name} is over")
    return [line for line in run.lines[began:ended] if line.startswith(f"{name}: ")]


# With HTTP as a fallback, that is cut, too; the regional controller serves it.
@pytest.mark.long
@pytest.mark.parametrize("name", ["lc1", "rc1"])
def test_controller_cut_off_is_disconnected_and_recovers_by_itself_without_loss(
    live, cut_off, name
):
    run = drill(live, "link", str(live.file), name, "drop", "--for", "8s", "--json")
    run.wait_line(f"{name}: cut off for 8 s")
    assert len(cut_off()) == 1
    assert run.end(90) == 0, run.lines
    assert cut_off() == []
    said = meanwhile(live.run, name)
    assert any(f"{name}: disconnected" in line for line in said), said
    assert not any("ready" in line for line in said), said
    report = json.loads(run.out)
    assert report["fault"] == {
        "target": "link", "controller": name, "action": "drop", "seconds": 8.0
    }  # fmt: skip
    assert report["recovered"]
    assert report["delayed"] > 0
    assert (report["lost"], report["twice"]) == (0, 0)
    row = live.row(name)
    assert (row["state"], row["transport"], row["restarts"]) == ("ready", "mqtt", 0)


def test_local_cut_off_goes_on_discovering_and_its_reports_wait(live):
    before = live.row("lc1")
    run = cut(live, "lc1")
    until(lambda: live.row("lc1")["state"] == "disconnected", "the loss")
    row = until(lambda: (r := live.row("lc1"))["waiting"] >= 3 and r, "reports that wait")
    assert row["cycle"] > before["cycle"]
    assert live.row("lc2")["state"] == "ready"
    run.interrupt()
    assert run.end() == 130
    until(lambda: live.row("lc1")["committed_at_top"] > row["cycle"], "newer reports at the top")
    audit = live.ask("audit", str(live.file), "--json")
    assert audit.returncode == 0, audit.stdout


def test_link_is_restored_at_once_by_ctrl_c_and_not_by_another_up(live, namespace, cut_off):
    run = cut(live, "lc1")
    (route,) = cut_off()
    again = live.up(prefix=namespace.prefix)
    assert again.end() == 0
    assert any("nothing to change" in line for line in again.lines), again.lines
    # One of the same topology with another state directory, which fails at the lab's ports.
    beside = live.pdsno("up", str(live.file), "--state-dir", str(live.folder / "other"),
                        prefix=namespace.prefix)  # fmt: skip
    assert beside.end() == 1
    assert any("does this lab run already" in line for line in beside.lines), beside.lines
    assert cut_off() == [route]

    run.interrupt()
    assert run.end() == 130
    assert "interrupted: the fault is lifted" in run.lines
    assert cut_off() == []
    all_on(live, "mqtt", 60)


def test_regional_that_ends_while_it_is_cut_off_is_started_once_and_comes_back(live, cut_off):
    before = live.row("rc1")["pid"]
    run = cut(live, "rc1")
    os.kill(before, signal.SIGKILL)
    served = live.state / "http" / "rc1"
    told = served.read_text()
    until(lambda: live.row("rc1")["pid"] not in (before, None), "another process")
    until(lambda: served.read_text() != told, "its HTTP port")
    assert len(cut_off()) == 1
    run.interrupt()
    assert run.end() == 130
    all_on(live, "mqtt", 60)
    assert live.row("rc1")["restarts"] == 1


def test_second_fault_of_a_controller_that_is_cut_off_is_refused(live):
    run = cut(live, "lc1")
    second = live.ask("fault", "controller", str(live.file), "lc1", "freeze")
    assert second.returncode == 1
    assert second.stderr == "error: lc1 has a fault already: wait until that is over\n"
    run.interrupt()
    assert run.end() == 130


def test_link_is_let_back_by_down_and_the_controller_is_ended_in_order(live, cut_off):
    run = cut(live, "lc1")
    assert live.ask("down", str(live.file)).returncode == 0
    assert live.run.end() == 0, live.run.lines
    assert not any("did not stop" in line for line in live.run.lines)
    assert cut_off() == []
    assert run.end() == 1


def test_link_is_let_back_by_a_supervisor_that_ends_at_once(live, cut_off):
    cut(live, "lc1")
    supervisor = live.run.process
    supervisor.send_signal(signal.SIGSTOP)  # so that both signals are pending when it continues
    supervisor.send_signal(signal.SIGINT)
    supervisor.send_signal(signal.SIGTERM)
    supervisor.send_signal(signal.SIGCONT)
    assert live.run.end() == 130, live.run.lines
    assert cut_off() == []


def test_link_that_a_killed_supervisor_left_cut_is_let_back_by_the_next_up(
    live, namespace, cut_off
):
    cut(live, "rc1")
    os.kill(live.run.process.pid, signal.SIGKILL)
    until(lambda: not live.run.members(), "the end of all")
    assert len(cut_off()) == 1
    live.up(prefix=namespace.prefix).ready()
    assert cut_off() == []


def test_without_the_privilege_a_cut_fails_in_one_line_and_harms_nothing(namespace, site, cut_off):
    site.write(broker=BROKER)
    unprivileged = (require("setpriv"), "--bounding-set=-net_admin", "--inh-caps=-net_admin")
    site.up(prefix=(*namespace.prefix, *unprivileged)).ready()
    done = site.ask("fault", "link", str(site.file), "lc1", "drop")
    assert done.returncode == 1
    assert done.stderr == (
        "error: the link of lc1 cannot be cut: needs CAP_NET_ADMIN and iproute2 "
        "(RTNETLINK answers: Operation not permitted)\n"
    )
    assert cut_off() == []
    assert {row["state"] for row in site.status()["controllers"]} == {"ready"}


def test_controller_without_an_address_of_its_own_cannot_be_cut_off(namespace, site, cut_off):
    declared = ", address: '127.0.0.1:8080'"
    site.write(broker=BROKER, fallbacks="[mqtt, http]")
    site.file.write_text(
        site.file.read_text().replace("region: r1}\n", f"region: r1{declared}}}\n")
    )
    site.up(prefix=namespace.prefix).ready()
    done = site.ask("fault", "link", str(site.file), "rc1", "drop")
    assert done.returncode == 1
    assert done.stderr.startswith("error: rc1 has no loopback address of its own")
    assert done.stderr.count("\n") == 1
    assert cut_off() == []


def test_controller_of_a_declared_broker_called_localhost_is_cut_off(namespace, site, tmp_path):
    broker = Mosquitto(tmp_path, 1883, "allow_anonymous true", host="localhost",
                       prefix=namespace.prefix)  # fmt: skip
    try:
        until(broker.answers, "Mosquitto's start")
        site.write(broker="{host: localhost, keepalive: 2s}")
        site.run = site.up(prefix=namespace.prefix).ready()
        run = cut(site, "lc1")
        until(lambda: site.row("lc1")["state"] == "disconnected", "the loss")
        run.interrupt()
        assert run.end() == 130
        all_on(site, "mqtt", 60)
        assert not any("ready" in line for line in meanwhile(site.run, "lc1"))
    finally:
        broker.end()
