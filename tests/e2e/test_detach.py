"""``pdsno up -d``: what cannot be handed over is refused, and an interrupt leaves nothing."""

from __future__ import annotations

import os
import re
import signal
import socket
import sqlite3
import threading

import pytest

from .conftest import WAIT, until

STAMPED = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (INFO|ERROR) ")


def test_detach_and_cycles_cannot_be_combined(site):
    site.write()
    done = site.ask("up", str(site.file), "-d", "--cycles", "1")
    assert done.returncode == 2
    assert done.stderr.startswith("error: --detach and --cycles cannot be combined")
    assert done.stderr.count("\n") == 1
    assert not site.state.exists()


def test_detach_cannot_hand_standard_input_over(site):
    done = site.ask("up", "-", "-d")
    assert done.returncode == 2
    assert done.stderr.startswith("error: --detach cannot be combined with -")
    assert done.stderr.count("\n") == 1
    assert not site.state.exists()


def test_ctrl_c_before_it_is_ready_ends_the_run(site):
    with socket.create_server(("127.0.0.1", 0)) as mute:  # a broker that never answers
        mute.settimeout(WAIT)
        port = mute.getsockname()[1]
        site.write(broker=f"{{embedded: false, host: 127.0.0.1, port: {port}}}")
        run = site.up("-d")
        with mute.accept()[0]:
            assert len(run.members()) >= 2
            run.interrupt()
            assert run.end() == 130
    assert run.members() == []


def damage_store(site, _request):
    store = site.state / "stores" / "lc1.db"
    store.write_bytes(b"no database" * 1000)
    return r"error: lc1: .*stores/lc1\.db"


def age_store(site, _request):
    with sqlite3.connect(site.state / "stores" / "lc1.db") as store:
        store.execute("PRAGMA user_version = 99")
    store.close()
    return r"error: lc1: .*version"


def take_port(site, request):
    listener = socket.create_server(("127.0.0.1", 0))
    request.addfinalizer(listener.close)
    port = listener.getsockname()[1]
    site.write(broker=f"{{embedded: true, port: {port}}}")
    return rf"error: port {port} is in use"


def answer_garbage(site, request):
    """Have something else than a broker listen where the broker should be."""
    listener = socket.create_server(("127.0.0.1", 0))
    request.addfinalizer(listener.close)
    port = listener.getsockname()[1]

    def serve():
        while True:
            try:
                client = listener.accept()[0]
            except OSError:
                return
            with client:
                client.sendall(b"SSH-2.0-OpenSSH_9.6\r\n" * 10)

    threading.Thread(target=serve, daemon=True).start()
    site.write(broker=f"{{embedded: false, host: 127.0.0.1, port: {port}}}")
    return rf"error: .*127\.0\.0\.1:{port}"


def spoil_state(site, _request):
    (site.state / "lock").unlink()
    (site.state / "lock").mkdir()
    return r"error: .*/lock cannot be written: Is a directory"


@pytest.mark.parametrize(
    "trouble",
    [damage_store, age_store, take_port, answer_garbage, spoil_state],
    ids=lambda trouble: trouble.__name__,
)
def test_reason_of_a_failed_start_is_printed(site, request, trouble):
    site.write()
    assert site.up("--cycles", "1").end() == 0
    words = trouble(site, request)
    up = site.up("-d")
    assert up.end(60) == 1
    assert re.match(words, up.lines[0]), up.lines
    assert "Traceback" not in "\n".join(up.lines)
    assert not up.members()


def test_timeout_names_the_controllers_that_are_not_ready_and_the_run_goes_on(site):
    site.write()
    assert site.up("--cycles", "1").end() == 0
    with sqlite3.connect(site.state / "stores" / "lc1.db", isolation_level=None) as store:
        store.execute("BEGIN EXCLUSIVE")  # so that its controller waits for it
        up = site.up("-d", "--timeout", "3s")
        assert up.end() == 1
        assert re.match(r"error: not ready within 3 s: .*lc1 \w+.*; the run goes on", up.lines[0])
        store.execute("ROLLBACK")
    store.close()
    until(lambda: site.ask("status", str(site.file)).returncode == 0, "its being ready")
    assert site.ask("down", str(site.file)).returncode == 0


def test_invalid_timeout_is_a_usage_error(site):
    site.write()
    done = site.ask("up", str(site.file), "-d", "--timeout", "soon")
    assert done.returncode == 2
    assert done.stderr.startswith("error:")


def test_of_two_at_once_one_wins_and_the_log_is_its_own(site):
    site.write()
    both = [site.up("-d"), site.up("-d")]
    codes = sorted(run.end(60) for run in both)
    assert codes[0] == 0, [run.lines for run in both]
    loser = min(both, key=lambda run: any("end them with" in line for line in run.lines))
    # The other either found its lock taken, or, a moment later, that it runs.
    words = r"error: this topology is already up \(process |.*: nothing to change"
    assert re.match(words, loser.lines[0]), loser.lines
    lines = (site.state / "logs" / "supervisor.log").read_text().splitlines()
    assert all(STAMPED.match(line) for line in lines), lines
    assert sum("all 4 controllers ready" in line for line in lines) == 1
    assert site.ask("down", str(site.file)).returncode == 0


def test_run_without_a_controller_left_ends_with_the_reason(site):
    site.write()
    run = site.up().ready()
    pids = [row["pid"] for row in site.status()["controllers"]]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    for store in (site.state / "stores").glob("*.db*"):
        store.write_bytes(b"no database" * 1000)
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    assert run.end() == 1, run.lines
    assert [line for line in run.lines if re.match(r"error: \w+: .*\.db", line)], run.lines
    assert run.members() == []
