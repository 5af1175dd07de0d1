"""``pdsno discover`` and the orders that it gives, on every way there is to a topology."""

from __future__ import annotations

import json
import os
import re
import signal

import pytest

from pdsno_cli.messaging import codec as codec_module
from pdsno_cli.messaging.codec import Codec
from pdsno_cli.model.ids import timestamp
from pdsno_cli.model.messages import Command
from pdsno_cli.model.topics import TopicMap

from .conftest import until
from .test_mosquitto import body, shout
from .test_mosquitto import ear as ear  # noqa: PLC0414 - a fixture shared by name
from .test_mosquitto import mosquitto as mosquitto  # noqa: PLC0414

HOUR = 3600.0


def discover(site, *args: str):
    return site.ask("discover", str(site.file), *args)


@pytest.mark.parametrize("way", ["embedded", "mosquitto", "in-process"])
def test_discover_finds_a_change_at_once_and_returns_when_it_is_committed(site, way, request):
    run = site.up_over(way, request)
    run.wait_line("lc1: cycle 1 ")
    run.wait_line("lc2: cycle 1 ")
    speaker = next(d["addresses"][0] for d in site.devices("--of", "lc1") if d["sys_name"])
    renamed = site.ask("lab", "rename", str(site.file), speaker, "renamed-1")
    assert renamed.returncode == 0, renamed.stderr
    done = discover(site, "--json")
    assert done.returncode == 0, done.stderr
    rows = {row["id"]: row for row in json.loads(done.stdout)["controllers"]}
    assert {name: row["updated"] for name, row in rows.items()} == {"lc1": 1, "lc2": 0}
    assert all(row["cycle"] == 2 and row["committed"] for row in rows.values())
    assert all(0 < row["seconds"] < 30 for row in rows.values())
    names = {d["addresses"][0]: d["sys_name"] for d in site.devices("--of", "rc1")}
    assert names[speaker] == "renamed-1"
    one = discover(site, "lc2")
    assert one.returncode == 0, one.stderr
    assert re.search(r"^lc2 +3 +3 +0 +0 +0 +\d\.\d\d s$", one.stdout, re.MULTILINE)
    assert "lc1" not in one.stdout
    run.interrupt()
    assert run.end() == 0, run.lines


def test_discover_on_a_broker_without_a_supervisor_reaches_controllers_run_alone(site, mosquitto):
    where = f"{{embedded: false, host: 127.0.0.1, port: {mosquitto.port}}}"
    site.write(broker=where, interval="1h", lab=False)
    down = discover(site)
    assert down.returncode == 2
    assert "signing key" in down.stderr
    names = ("g1", "rc1", "lc1", "lc2")
    runs = [
        site.pdsno("controller", "run", str(site.file), name, "--state-dir", str(site.state))
        for name in names
    ]
    until(lambda: all((site.state / "stores" / f"{n}.db").exists() for n in names), "their start")
    done = until(lambda: (d := discover(site, "lc1")).returncode != 2 and d, "the first life")
    assert done.returncode == 0, done.stderr
    for run in runs:
        run.process.terminate()
        assert run.end() == 0
    gone = discover(site)
    assert gone.returncode == 2
    assert "none of its controllers is online" in gone.stderr
    assert gone.stderr.count("\n") == 1


def test_discover_names_controllers_without_a_report_at_the_timeout(site):
    site.write(interval="1h")
    run = site.up().ready()
    run.wait_line("lc2: cycle 1 ")
    pid = site.row("lc2")["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        done = discover(site, "--timeout", "2s", "--region", "r1")
    finally:
        os.kill(pid, signal.SIGCONT)
    assert done.returncode == 1
    assert re.search(r"^lc1 .* s$", done.stdout, re.MULTILINE)
    assert "lc2 did not report within 2 s" in done.stderr


def test_discover_in_a_blackout_is_refused_and_says_until_when(site):
    site.write()
    whole = '    blackout: ["00:00-23:59", "23:00-01:00"]\n    missed_cycles: 2\n'
    site.file.write_text(site.file.read_text().replace("    missed_cycles: 2\n", whole))
    site.up().ready()
    done = discover(site, "lc1")
    assert done.returncode == 1
    assert re.search(r"lc1 refused: blackout until \d{4}-\d\d-\d\d \d\d:\d\d: ", done.stderr)


def test_discover_with_a_wrong_name_suggests_the_right_one(site):
    site.write()
    for args, words in (
        (["lc-1"], "no controller 'lc-1': did you mean 'lc1'?"),
        (["--region", "r-1"], "no region 'r-1': did you mean 'r1'?"),
        (["rc1"], "rc1 is regional: name local controllers"),
        (["--timeout", "soon"], "'soon' is not a duration"),
        ([], "this topology is not up"),
    ):
        done = discover(site, *args)
        assert done.returncode == 2, args
        assert words in done.stderr
        assert done.stderr.count("\n") == 1


@pytest.fixture
def live(site, mosquitto):
    site.write(broker=f"{{embedded: false, host: 127.0.0.1, port: {mosquitto.port}}}",
               interval="1h")  # fmt: skip
    site.run = site.up().ready()
    site.run.wait_line("lc1: cycle 1 ")
    site.port = mosquitto.port
    site.topics = TopicMap(root=site.root)
    site.codec = Codec(bytes.fromhex((site.state / "key").read_text()), site.topics, 1_000_000)
    return site


def sealed(live, payload, *, topic=None, sender="operator", kind="command", epoch=1, seq=1):
    return live.codec.seal(
        topic=topic or live.topics.command("lc1"),
        sender_id=sender,
        message_type=kind,
        payload=payload,
        epoch=epoch,
        seq=seq,
    )


@pytest.mark.parametrize("skew", [HOUR, -HOUR])
def test_order_from_another_hour_is_refused_with_an_event(live, ear, monkeypatch, skew):
    heard = ear(live.port, f"{live.root}/events/r1")
    with monkeypatch.context() as patch:
        patch.setattr(codec_module, "timestamp", lambda: timestamp(_now() + skew))
        order = sealed(live, Command(order="discover"))
    shout(live.port, live.topics.command("lc1"), order)
    event = heard.first(lambda _, b: b["payload"].get("event") == "command_refused")
    detail = body(event)["payload"]["detail"]
    assert body(event)["correlation_id"] == json.loads(order)["message_id"]
    assert abs(detail["skew"] - skew) < 30
    until(lambda: live.row("lc1")["refused"] == {"untimely": 1}, "its count")
    assert live.row("lc1")["cycle"] == 1
    until(lambda: live.row("lc1")["waiting"] == 0, "the event's commit at the top")


def test_order_that_comes_again_is_carried_out_once(live):
    order = sealed(live, Command(order="discover"))
    for _ in range(3):
        shout(live.port, live.topics.command("lc1"), order)
    until(lambda: live.row("lc1")["refused"] == {"replayed": 2}, "two replays")
    live.run.wait_line("lc1: cycle 2 ")
    assert discover(live, "lc1").returncode == 0
    assert live.row("lc1")["cycle"] == 3


def test_repair_and_reports_with_a_clock_an_hour_off_are_taken(live, ear, monkeypatch):
    from .test_controllers import Device, report

    heard = ear(live.port, f"{live.root}/discovery/r1/+")
    device = Device(device_id="ip:127.9.9.9", addresses=("127.9.9.9",), protocols=("icmp",))
    topic = live.topics.discovery("r1", "lc-late")
    with monkeypatch.context() as patch:
        patch.setattr(codec_module, "timestamp", lambda: timestamp(_now() - HOUR))
        late = sealed(live, report("r1", device), topic=topic, sender="lc-late",
                      kind="discovery_report")  # fmt: skip
        settled = Command(order="resend", stream="discovery/r1/lc1", epoch=0, seq=0)
        resend = sealed(live, settled, sender="rc1", epoch=int(_now() + HOUR))
    shout(live.port, topic, late)
    until(lambda: any(d["local_id"] == "lc-late" for d in live.devices("--of", "rc1")), "its entry")
    shout(live.port, live.topics.command("lc1"), resend)
    heard.first(lambda m, b: m["topic"].endswith("/lc1") and b["payload"]["snapshot"])
    assert live.row("lc1")["refused"] == {}


def test_operator_may_order_and_nothing_else(live):
    from pdsno_cli.model.messages import Event

    topic = live.topics.events("system")
    event = Event(event="controller_down", severity="error", subject="lc1")
    shout(live.port, topic, sealed(live, event, topic=topic, kind="event"))
    until(lambda: live.row("g1")["refused"] == {"wrong-topic": 1}, "its refusal")


def _now() -> float:
    import time

    return time.time()


def test_discover_gives_up_a_controller_that_is_not_deployed_and_says_what_to_do(site, mosquitto):
    where = f"{{embedded: false, host: 127.0.0.1, port: {mosquitto.port}}}"
    site.write(broker=where, interval="1h", lab=False)
    for name in ("g1", "rc1", "lc1"):
        site.pdsno("controller", "run", str(site.file), name, "--state-dir", str(site.state))
    until(lambda: discover(site, "lc1").returncode == 0, "the first life")
    done = discover(site, "--timeout", "25s")
    assert done.returncode == 1
    first, *_ = done.stderr.splitlines()
    assert first == "waiting for 2 reports: lc1, lc2"
    assert "lc2 does not run: no status of it was received" in done.stderr
    assert f"pdsno controller run {site.file} lc2" in done.stderr
    assert re.search(r"^lc1 .* s$", done.stdout, re.MULTILINE)
    assert re.search(r"^lc2 .*not up$", done.stdout, re.MULTILINE)


def test_discover_gives_up_a_controller_that_was_stopped(site):
    site.write(interval="1h")
    site.up().ready().wait_line("lc1: cycle 1 ")
    assert site.ask("stop", str(site.file), "lc1").returncode == 0
    done = discover(site, "lc1", "--timeout", "25s")
    assert done.returncode == 1
    assert "lc1 does not run: it was stopped; start it with pdsno start" in done.stderr


def test_agents_that_answer_no_community_are_a_warning_everywhere(site):
    site.write(interval="1h", devices=6, snmp=0)
    run = site.up().ready()
    told = "snmp 0/3: no answer to any community; check community and port of discovery.snmp"
    run.wait_line(rf"^lc1: warning: {told}")
    run.wait_line(rf"^lc2: warning: {told}")
    until(lambda: site.status()["well"], "its being well")  # a warning is no alarm
    assert [row["warning"] is not None for row in site.status()["controllers"]] == [0, 0, 1, 1]
    assert "warning: snmp: no answer to any community" in site.ask("ps", str(site.file)).stdout
    done = discover(site, "lc1")
    assert done.returncode == 0
    assert f"lc1: warning: {told}" in done.stderr
