"""A regional whose store is in PostgreSQL: its server ends and comes back, and nothing is lost."""

from __future__ import annotations

import json
import threading
import time

import pytest

from tests.postgres import PASSWORD, Postgres

from .conftest import until
from .test_delivery import end, settled, view


@pytest.fixture
def server(monkeypatch):
    started = Postgres()
    monkeypatch.setenv("DATABASE_PASSWORD", PASSWORD)
    yield started
    started.close()


def write(site, server, *controllers: str) -> None:
    """Write a topology in which some controllers have their stores in the server."""
    site.write(interval="1s", fallbacks="[mqtt, bus]")
    url = server.url("postgres", "${DATABASE_PASSWORD}")
    text = site.file.read_text()
    for name in controllers:
        assert text.count(f"  {name}: {{") == 1
        text = text.replace(f"  {name}: {{", f'  {name}: {{nib: "{url}", ')
    site.file.write_text(text)
    assert site.pdsno("validate", str(site.file)).end() == 0


@pytest.mark.long
@pytest.mark.parametrize("arguments", [(), ("--in-process",)], ids=["processes", "in process"])
def test_a_regional_outlives_its_database_and_nothing_is_lost_or_applied_twice(
    site, server, arguments
):
    write(site, server, "rc1")
    run = site.up(*arguments).ready()
    until(lambda: len(site.devices()) == 6 and settled(site), "a full view")
    before = site.row("rc1")
    server.kill()
    until(lambda: "cannot be used now" in (site.row("rc1")["detail"] or ""), "a reason in status")
    row = site.row("rc1")
    assert "next try in" in row["detail"]
    assert row["health"] == "down"
    sent = site.row("lc1")["sent"]
    until(lambda: site.row("lc1")["sent"] >= sent + 3, "reports that rc1 cannot commit")
    until(lambda: site.row("lc1")["waiting"] >= 3, "the backlog in status")
    server.start()
    until(lambda: site.row("rc1")["state"] == "ready" and settled(site), "rc1 is back")
    after = site.row("rc1")
    assert (after["pid"], after["restarts"]) == (before["pid"], before["restarts"])
    assert after["epoch"] > before["epoch"]
    assert view(site, "rc1") == view(site, "g1")
    found = json.loads(site.ask("audit", str(site.file), "--json").stdout)
    assert not any(stream["lost"] or stream["twice"] for stream in found["streams"])
    end(run, site)
    assert not (site.state / "stores" / "rc1.db").exists()
    texts = [*run.lines, *(log.read_text() for log in site.state.glob("logs/*"))]
    assert not [text for text in texts if PASSWORD in text or "p%40ss" in text]


@pytest.mark.long
def test_commands_read_stores_in_a_database_while_their_topology_is_down(site, server):
    write(site, server, "g1", "rc1", "lc1")
    run = site.up("--cycles", "2")
    assert run.end() == 0, run.lines
    assert [path.name for path in site.state.glob("stores/*.db")] == ["lc2.db"]
    assert view(site, "g1") == view(site, "rc1")
    assert len(view(site, "lc1")) == 3
    for command in (("audit",), ("quarantine", "list"), ("policy", "show")):
        done = site.ask(*command, str(site.file))
        assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    server.kill()
    for command in (("audit",), ("devices",), ("quarantine", "list"), ("policy", "show")):
        done = site.ask(*command, str(site.file))
        assert done.returncode == 1, (command, done.stdout)
        assert "cannot be used now" in done.stderr
        assert PASSWORD not in done.stderr
        assert "Traceback" not in done.stderr


def test_a_controller_waits_for_a_database_that_is_not_up_yet(site, server):
    write(site, server, "rc1")
    server.kill()
    run = site.up()
    run.wait_line(r"rc1: disconnected \(the store .* cannot be used now")
    time.sleep(0.5)
    server.start()
    run.ready()
    end(run, site)


def test_a_second_process_with_the_same_store_is_refused(site, server):
    write(site, server, "rc1")
    run = site.up().ready()
    again = site.folder / "again.yaml"
    again.write_text(site.file.read_text().split("lab:")[0])
    other = site.pdsno("up", str(again), "--state-dir", str(site.folder / "other"))
    assert other.end() == 1
    assert "is in use by another process" in "\n".join(other.lines)
    end(run, site)


@pytest.mark.long
def test_a_controller_whose_connection_broke_waits_until_its_lock_is_free(site, server):
    write(site, server, "rc1")
    run = site.up().ready()
    with server.connect() as other, server.connect() as admin:
        found = admin.execute(
            "SELECT pid, (classid::bigint << 32) | objid::bigint FROM pg_locks "
            "WHERE locktype = 'advisory'"
        )
        ((pid, key),) = found.fetchall()
        waiting = threading.Thread(
            target=other.execute, args=(f"SELECT pg_advisory_lock({key})",), daemon=True
        )
        waiting.start()
        until(
            lambda: admin.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchone(), "a queue"
        )
        admin.execute(f"SELECT pg_terminate_backend({pid})")
        waiting.join()
        until(lambda: "in use by another" in (site.row("rc1")["detail"] or ""), "a reason")
    until(lambda: site.row("rc1")["state"] == "ready" and settled(site), "rc1 is back")
    assert site.row("rc1")["restarts"] == 0
    end(run, site)
