"""A broker that lets everybody in and drops one class of messages: progress is what counts."""

from __future__ import annotations

import json
import os
import signal

import pytest

from tests.e2e.conftest import until
from tests.e2e.test_mosquitto import Mosquitto, ear

__all__ = ["ear"]  # a fixture

PATIENCE = "outbox: {patience: 1s}"


class Strict:
    """A Mosquitto whose access list can be changed while it runs."""

    def __init__(self, folder, port: int) -> None:
        self.rights = folder / "rights"
        self.permit()
        self.broker = Mosquitto(folder, port, "allow_anonymous true", f"acl_file {self.rights}")
        until(self.broker.answers, "Mosquitto's start")
        self.port = port

    def deny(self, *topics: str) -> None:
        self._write(*(f"topic deny {topic}" for topic in topics), "topic readwrite #")

    def permit(self) -> None:
        self._write("topic readwrite #")

    def _write(self, *lines: str) -> None:
        self.rights.write_text("\n".join(lines) + "\n")
        if hasattr(self, "broker"):
            os.kill(self.broker.process.pid, signal.SIGHUP)  # it reads the file again


@pytest.fixture
def strict(tmp_path, free_port):
    made = Strict(tmp_path, free_port)
    yield made
    made.broker.end()


def rows(site) -> dict:
    return {row["id"]: row for row in site.status()["controllers"]}


@pytest.mark.parametrize("denied", ["discovery", "summary", "ack", "events"])
def test_a_denied_class_is_degraded_with_its_reason_and_mends_by_itself(site, strict, denied):
    broker = f"{{host: 127.0.0.1, port: {strict.port}}}"
    site.write(broker=broker, extra=PATIENCE)
    strict.deny(f"{site.root}/{denied}/#")
    run = site.up()
    run.ready()
    who = "rc1" if denied == "summary" else "lc1"
    if denied == "events":  # each controller that has any; policy_applied is of all
        who = "rc1"
    row = until(lambda: (r := rows(site)[who])["health"] == "degraded" and r, f"{who} degraded")
    assert row["state"] == "ready"
    assert "is acknowledged; the oldest message waits for" in row["reason"]
    done = site.ask("status", str(site.file))
    assert done.returncode == 1
    assert f"{who}" in done.stdout
    assert max(len(line) for line in done.stdout.splitlines() if "degraded: nothing" in line) <= 80
    strict.permit()
    until(lambda: site.status()["well"], "recovery")
    assert site.ask("status", str(site.file)).returncode == 0
    log = (site.state / "logs" / f"{who}.log").read_text()
    assert "carries nothing, connecting again" in log
    assert "acknowledged again" in log


@pytest.mark.long
def test_a_denied_class_goes_over_the_fallback(site, strict):
    broker = f"{{host: 127.0.0.1, port: {strict.port}}}"
    site.write(broker=broker, extra=PATIENCE, fallbacks="[mqtt, http]")
    strict.deny(f"{site.root}/discovery/#")
    site.up().ready()
    row = until(lambda: (r := rows(site)["lc1"])["transport"] == "http" and r, "HTTP")
    assert row["health"] == "degraded"
    assert "only http is active" in row["reason"]
    before = row["committed"] or 0
    until(lambda: (rows(site)["lc1"]["committed"] or 0) > before + 1, "commits over HTTP")
    assert rows(site)["lc1"]["waiting"] <= 2
    strict.permit()
    until(lambda: rows(site)["lc1"]["transport"] == "mqtt", "the return", 60)
    until(lambda: site.status()["well"], "recovery", 60)


def test_heartbeats_that_no_parent_receives_are_reported(site, strict):
    broker = f"{{host: 127.0.0.1, port: {strict.port}}}"
    site.write(broker=broker, extra=PATIENCE)
    strict.deny(f"{site.root}/status/lc1")
    site.up().ready()
    until(lambda: rows(site)["lc1"]["health"] == "degraded", "lc1 degraded")
    assert "no parent receives its heartbeats" in rows(site)["lc1"]["reason"]
    assert rows(site)["lc2"]["health"] == "ready"
    strict.permit()
    until(lambda: site.status()["well"], "recovery")


def test_an_event_reports_that_nothing_is_acknowledged(site, strict, ear):
    broker = f"{{host: 127.0.0.1, port: {strict.port}}}"
    site.write(broker=broker, extra=PATIENCE)
    strict.deny(f"{site.root}/discovery/r1/lc1")
    heard = ear(strict.port, f"{site.root}/events/#")
    site.up().ready()

    def is_(event: str):
        return lambda _, body: (body["payload"]["event"], body["sender_id"]) == (event, "lc1")

    found = heard.first(is_("delivery_stalled"))
    detail = json.loads(found["data"])["payload"]["detail"]
    assert detail["stream"] == "discovery/r1/lc1"
    strict.permit()
    heard.first(is_("delivery_resumed"))
