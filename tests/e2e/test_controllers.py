"""What the controllers do with each other's messages, seen from outside."""

from __future__ import annotations

import json
import os
import re
import signal
import stat
from pathlib import Path

import pytest

import pdsno_cli.lab
from pdsno_cli.lint.engine import require
from pdsno_cli.messaging.codec import Codec
from pdsno_cli.model.devices import Device
from pdsno_cli.model.ids import timestamp
from pdsno_cli.model.messages import DiscoveryReport
from pdsno_cli.model.topics import TopicMap
from pdsno_cli.nib.reader import open_reader
from pdsno_cli.runtime.lab import planned_devices
from tests.conftest import require as require_tool
from tests.conftest import require_root

from .conftest import until
from .test_mosquitto import body, shout
from .test_mosquitto import ear as ear  # noqa: PLC0414 - a fixture shared by name
from .test_mosquitto import mosquitto as mosquitto  # noqa: PLC0414

PLAYED = Path(pdsno_cli.lab.__file__).parent / "recordings" / "expected.json"


def report(region: str, device: Device) -> DiscoveryReport:
    return DiscoveryReport(
        region=region,
        cycle=1,
        snapshot=True,
        outcome="complete",
        started_at=timestamp(),
        seconds=0.1,
        probes=(),
        new=(device,),
        updated=(),
        inactive=(),
        active=1,
    )


def test_mac_in_two_regions_is_announced_once_by_the_global_controller(site, mosquitto, ear):
    site.file.write_text(f"""\
name: {site.root}
broker: {{embedded: false, host: 127.0.0.1, port: {mosquitto.port}}}
topics: {{root: {site.root}}}
fallbacks: [mqtt]
regions: {{r1: {{}}, r2: {{}}}}
controllers:
  g1: {{role: global}}
  rc1: {{role: regional, region: r1}}
  rc2: {{role: regional, region: r2}}
""")
    site.up().ready()
    heard = ear(mosquitto.port, f"{site.root}/events/system")
    topics = TopicMap(root=site.root)
    codec = Codec(bytes.fromhex((site.state / "key").read_text()), topics, 1_000_000)
    mac = "02:00:5e:00:53:01"
    # Locals that the file does not know: a new one needs only its region.
    for region, sender in (("r1", "lc-a"), ("r2", "lc-b")):
        device = Device(
            device_id=f"mac:{mac}", addresses=("127.1.2.3",), protocols=("arp",), mac=mac
        )
        topic = topics.discovery(region, sender)
        data = codec.seal(
            topic=topic,
            sender_id=sender,
            message_type="discovery_report",
            payload=report(region, device),
            epoch=1,
            seq=1,
        )
        shout(mosquitto.port, topic, data)
    found = heard.first(lambda _, b: b["payload"].get("event") == "mac_in_two_regions")
    assert body(found)["sender_id"] == "g1"
    assert body(found)["payload"]["subject"] == mac
    assert body(found)["payload"]["detail"]["regions"] == ["r1", "r2"]
    assert {d["region"] for d in site.devices()} == {"r1", "r2"}


@pytest.mark.long
def test_cycle_in_which_every_probe_fails_changes_nothing_and_is_reported(site):
    require_root()
    setpriv = require_tool("setpriv")
    site.write(snmp=0)
    assert site.up("--cycles", "1").end() == 0
    before = site.devices()
    assert len(before) == 6
    site.file.write_text(site.file.read_text().replace("[icmp, snmp]", "[icmp]"))
    drop = [setpriv, "--bounding-set=-net_raw", "--inh-caps=-net_raw"]
    run = site.up(prefix=drop)
    run.wait_line(r"lc1: cycle 3 failed")
    run.wait_line(r"lc2: cycle 3 failed")
    about = [line for line in run.lines if "CAP_NET_RAW" in line]
    if not about:
        pytest.skip("this kernel lets everybody send ICMP echo")
    assert len(about) == 2, about  # one warning for each of the two locals, not one a cycle
    assert [line for line in run.lines if "every probe failed" in line]
    after = site.devices()
    assert [d["version"] for d in after] == [d["version"] for d in before]
    assert {d["state"] for d in after} == {"active"}


def test_key_and_state_are_private_and_the_key_is_kept(site):
    site.write()
    assert site.up("--cycles", "1").end() == 0
    key = site.state / "key"
    first = key.read_text()
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE(site.state.stat().st_mode) == 0o700
    stores = list((site.state / "stores").glob("*.db"))
    assert len(stores) == 4
    assert {stat.S_IMODE(path.stat().st_mode) for path in stores} == {0o600}
    assert site.up("--cycles", "1").end() == 0
    assert key.read_text() == first


def test_signing_key_from_the_environment_is_used_and_not_written_down(site):
    site.write(extra='signing_key: "${PDSNO_TEST_KEY}"')
    run = site.up("--cycles", "1", env={"PDSNO_TEST_KEY": "a key of more than sixteen bytes"})
    assert run.end() == 0, run.lines
    assert not (site.state / "key").exists()


@pytest.mark.parametrize(("key", "words"), [(None, "PDSNO_TEST_KEY"), ("short", "at least 16")])
def test_signing_key_that_cannot_be_used_is_one_line(site, key, words):
    site.write(extra='signing_key: "${PDSNO_TEST_KEY}"')
    run = site.up(env={} if key is None else {"PDSNO_TEST_KEY": key})
    assert run.end() == 1
    assert len(run.lines) == 2, run.lines
    assert words in run.lines[0]


def test_changed_policy_gets_a_higher_version_and_is_applied(site, mosquitto, ear):
    where = f"{{embedded: false, host: 127.0.0.1, port: {mosquitto.port}}}"
    site.write(broker=where, interval="1h")
    heard = ear(mosquitto.port, f"{site.root}/policy/r1")

    def policies():
        return [body(m)["payload"] for m in heard.heard]

    run = site.up("--cycles", "1")
    assert run.end() == 0, run.lines
    site.write(broker=where, interval="1h")  # the same again
    assert site.up("--cycles", "1").end() == 0
    site.write(broker=where, interval="1s")
    run = site.up("--cycles", "3")  # would take hours under the old policy
    assert run.end() == 0, run.lines
    until(lambda: len(policies()) >= 3, "three policies")
    first, same, changed = policies()
    assert first["version"] == same["version"]
    assert changed["version"] > first["version"]
    assert (first["scan_interval"], changed["scan_interval"]) == (3600.0, 1.0)


def test_policy_older_than_the_one_in_force_is_refused(site, mosquitto):
    from pdsno_cli.model.messages import PolicyDocument

    site.write(broker=f"{{embedded: false, host: 127.0.0.1, port: {mosquitto.port}}}")
    run = site.up().ready()
    run.wait_line("lc1: cycle 1")
    topics = TopicMap(root=site.root)
    codec = Codec(bytes.fromhex((site.state / "key").read_text()), topics, 1_000_000)
    old = codec.seal(
        topic=topics.policy("r1"),
        sender_id="rc1",
        message_type="policy",
        payload=PolicyDocument(scope="r1", version=1, scan_interval=3600.0),
        epoch=10**11,
        seq=1,
    )
    shout(mosquitto.port, topics.policy("r1"), old, "-r")
    log = site.state / "logs" / "lc1.log"
    until(lambda: "is older than" in log.read_text(), "its refusal")
    cycle = site.row("lc1")["cycle"]
    until(lambda: site.row("lc1")["cycle"] > cycle + 1, "cycles at the old pace")


def test_up_alone_hears_no_secret_in_its_log(site):
    site.write(extra='signing_key: "${PDSNO_TEST_KEY}"')
    secret = "correct horse battery staple"
    assert site.up("--cycles", "1", env={"PDSNO_TEST_KEY": secret}).end() == 0
    for path in (site.state / "logs").iterdir():
        assert secret not in path.read_text(), path


def test_epoch_rises_with_each_start(site):
    site.write()
    run = site.up().ready()
    first = {row["id"]: row["epoch"] for row in site.status()["controllers"]}
    run.interrupt()
    assert run.end() == 0
    site.up().ready()
    second = {row["id"]: row["epoch"] for row in site.status()["controllers"]}
    assert all(second[name] > first[name] for name in first)


def test_every_level_knows_what_the_devices_are(site):
    site.write(interval="1h", devices=4, snmp=4)
    run = site.up("--cycles", "1")
    assert run.end() == 0, run.lines
    held = [
        {d["addresses"][0]: d["extra"] for d in site.devices("--of", name)}
        for name in ("g1", "rc1")
    ]
    assert held[0] == held[1]
    played = json.loads(PLAYED.read_text())
    lab = planned_devices(require(str(site.file)))
    assert {device: (extra["vendor"], extra["type"]) for device, extra in held[0].items()} == {
        item.address: (played[item.recording]["vendor"], played[item.recording]["type"])
        for item in lab
    }
    shown = site.ask("devices", str(site.file)).stdout
    assert all(extra["type"] in shown for extra in held[0].values())
    assert all(len(line) <= 80 for line in shown.splitlines())


def test_local_taken_out_of_the_topology_takes_its_devices_with_it(site):
    site.write()
    assert site.up("--cycles", "1").end() == 0
    assert len(site.devices()) == 6
    text = site.file.read_text()
    site.file.write_text(
        "\n".join(line for line in text.splitlines() if not line.startswith(("  lc2:", "lab:")))
    )
    run = site.up().ready()
    # At once if its region received its stop, else once its heartbeats are missed.
    until(lambda: {d["local_id"] for d in site.devices()} == {"lc1"}, "its devices to go")
    assert len(site.devices()) == 3
    run.interrupt()
    assert run.end() == 0, run.lines
    site.file.write_text(text)
    back = site.up("--cycles", "1")
    assert back.end() == 0, back.lines
    assert "6 devices at the top" in back.out, back.out


def two_regions(site, mosquitto, lc1: tuple[str, int]) -> None:
    """Write a topology with lc1 in a region, with so many targets."""
    region, targets = lc1
    site.file.write_text(f"""\
name: {site.root}
broker: {{embedded: false, host: 127.0.0.1, port: {mosquitto.port}}}
topics: {{root: {site.root}}}
fallbacks: [mqtt]
defaults: {{heartbeat: 1s, discovery: {{interval: 1s, protocols: [snmp, icmp], snmp: {{port: {site.snmp_port}}}}}}}
regions: {{A: {{}}, B: {{}}}}
controllers:
  g1: {{role: global}}
  rcA: {{role: regional, region: A}}
  rcB: {{role: regional, region: B}}
  lc1: {{role: local, region: {region}, discovery: {{targets: ["{site.net}.1-{site.net}.{targets}"]}}}}
  lc2: {{role: local, region: B, discovery: {{targets: ["{site.net}.101-{site.net}.102"]}}}}
""")


def placed(site) -> dict[str, list[tuple[str, int]]]:
    """Return how many devices of lc1 each of the parents holds for present, by region."""
    found = {}
    for parent in ("g1", "rcA", "rcB"):
        regions = [d["region"] for d in site.devices("--of", parent) if d["local_id"] == "lc1"]
        found[parent] = sorted((name, regions.count(name)) for name in set(regions))
    return found


@pytest.mark.long
def test_local_that_moves_to_another_region_and_back_leaves_nothing_behind(site, mosquitto):
    for region, targets in (("A", 10), ("B", 30), ("A", 10), ("B", 5)):
        two_regions(site, mosquitto, (region, targets))
        run = site.up().ready()
        here = [(region, targets)]  # a removed target leaves after three cycles
        other = "rcB" if region == "A" else "rcA"
        wanted = {"g1": here, f"rc{region}": here, other: []}
        until(lambda: placed(site) == wanted, f"being in {region} alone")  # noqa: B023 - at once
        run.interrupt()
        assert run.end() == 0
        audit = site.ask("audit", str(site.file))
        assert audit.returncode == 0, audit.stdout


@pytest.mark.long
@pytest.mark.parametrize("old", ["away", "unaware"])
def test_local_that_moves_leaves_its_old_region_at_once_at_the_top(site, mosquitto, old):
    """Its old regional controller is away; or it runs on, by the file of before."""
    two_regions(site, mosquitto, ("B", 30))
    assert site.up("--cycles", "1").end() == 0
    before, after = site.folder / "before.yaml", site.file
    before.write_text(site.file.read_text())
    two_regions(site, mosquitto, ("A", 10))

    def run(name, file):
        return site.pdsno("controller", "run", str(file), name, "--state-dir", str(site.state))

    if old == "unaware":
        # The top, too, does not know of it: a new local needs only its region.
        run("g1", before)
        run("rcB", before)
        until((site.state / "logs").exists, "their start")
    else:
        run("g1", after)
        until(lambda: placed(site)["g1"] == [], "leaving the old region before it has a new one")
    run("rcA", after)
    run("lc1", after)
    until(lambda: placed(site)["g1"] == [("A", 10)], "moving at the top")
    until(lambda: placed(site)["rcA"] == [("A", 10)], "coming to its region")
    if old == "away":
        run("rcB", after)
    until(lambda: placed(site)["rcB"] == [], "leaving its old region")
    until(lambda: any(d["local_id"] == "lc2" for d in site.devices()), "the others' stay")
    assert placed(site)["g1"] == [("A", 10)]


def test_seen_and_uptime_move_at_the_top_although_nothing_changes(site):
    site.write(devices=6, snmp=6)
    text = site.file.read_text()
    site.file.write_text(
        text.replace("[icmp, snmp]", "[snmp]").replace("missed_cycles: 2", "missed_cycles: 1000")
    )
    site.up().ready()
    until(lambda: len(site.devices()) == 6, "all devices at the top")
    first = {d["addresses"][0]: d for d in site.devices()}
    gone = f"{site.net}.1"

    def moved(since, owner="g1"):
        found = {d["addresses"][0]: d for d in site.devices("--of", owner)}
        return {
            address
            for address, d in found.items()
            if d["last_seen"] > since[address]["last_seen"]
            and d["uptime"] > since[address]["uptime"]
        }

    for owner in ("rc1", "g1"):
        until(lambda: moved(first, owner) == first.keys(), f"moving at {owner}")  # noqa: B023
    assert site.ask("lab", "remove", str(site.file), gone).returncode == 0

    def settled():  # it does not answer any more, and is present for a thousand cycles
        before = {d["addresses"][0]: d for d in site.devices()}
        until(lambda: moved(before) >= before.keys() - {gone}, "the others moving")
        return gone not in moved(before)

    until(settled, "one silent device")
    devices = {d["addresses"][0]: d for d in site.devices()}
    assert {d["state"] for d in devices.values()} == {"active"}
    assert {d["version"] for d in devices.values()} == {1}
    assert first[gone]["last_seen"] < devices[gone]["last_seen"]


def test_status_and_devices_without_a_run(site):
    site.write()
    status = site.ask("status", str(site.file))
    assert status.returncode == 2
    assert re.fullmatch(r"error: this topology is not up .*\n", status.stderr)
    devices = site.ask("devices", str(site.file))
    assert devices.returncode == 2
    assert devices.stderr.count("\n") == 1


def test_unknown_controller_gets_a_suggestion(site):
    site.write()
    done = site.ask("controller", "run", str(site.file), "lc-1")
    assert done.returncode == 2
    assert "did you mean 'lc1'?" in done.stderr
    assert os.linesep.join(done.stderr.splitlines()[1:]) == ""


def newcomer(site, name: str):
    """Return the file of an administrator who knows of one local controller more."""
    text = site.file.read_text().replace("lab:", "x-lab:")
    own = f'  {name}: {{role: local, region: r1, discovery: {{targets: ["{site.net}.200"]}}}}\n'
    file = site.folder / "newcomer.yaml"
    file.write_text(text.replace("x-lab:", f"{own}x-lab:"))
    return file


def run_newcomer(site, file, name):
    return site.pdsno("controller", "run", str(file), name, "--state-dir", str(site.state))


def test_a_local_that_only_its_own_file_names_is_a_whole_member_of_its_region(site, mosquitto, ear):
    site.write(broker=f"{{embedded: false, host: 127.0.0.1, port: {mosquitto.port}}}")
    heard = ear(mosquitto.port, f"{site.root}/events/system")
    site.up().ready()
    run = run_newcomer(site, newcomer(site, "lc9"), "lc9")
    until(lambda: any(d["local_id"] == "lc9" for d in site.devices()), "its devices at the top")
    until(lambda: waiting(site, "lc9") == 0, "its messages to be acknowledged")
    until(lambda: health(site, "lc9") == "ready", "it to be shown")
    os.kill(run.process.pid, signal.SIGKILL)
    down = heard.first(lambda _, b: b["payload"]["event"] == "controller_down")
    assert (body(down)["sender_id"], body(down)["payload"]["subject"]) == ("rc1", "lc9")
    until(lambda: health(site, "lc9") == "down", "it to be shown as down")
    again = run_newcomer(site, newcomer(site, "lc9"), "lc9")
    heard.first(lambda _, b: b["payload"]["event"] == "controller_up")
    # A parent that starts again finds it, and one that misses it then keeps nothing of it.
    os.kill(site.row("rc1")["pid"], signal.SIGKILL)
    until(lambda: site.row("rc1")["restarts"] and site.row("rc1")["state"] == "ready", "rc1 back")
    assert any(d["local_id"] == "lc9" for d in site.devices())
    again.interrupt()
    assert again.end() == 0
    until(lambda: online(site, "lc9") != "online", "the word of its end")
    os.kill(site.row("rc1")["pid"], signal.SIGKILL)
    until(lambda: not any(d["local_id"] == "lc9" for d in site.devices()), "it to be forgotten")
    late = ear(mosquitto.port, f"{site.root}/status/+")
    late.first(lambda m, _: m["retain"] and m["topic"].endswith("/lc1"))
    assert not any(m["topic"].endswith("/lc9") for m in late.heard)


def health(site, name: str) -> str | None:
    rows = site.status()["controllers"]
    return next((row["health"] for row in rows if row["id"] == name), None)


def waiting(site, name: str) -> int:
    with open_reader(site.state / "stores" / f"{name}.db") as store:
        return store.outbox_count()


def online(site, name: str) -> str | None:
    with open_reader(site.state / "stores" / "rc1.db") as store:
        return next((c.state for c in store.controllers() if c.controller_id == name), None)


@pytest.mark.parametrize("data", [b"nobody signed this", b""], ids=["foreign", "cleared"])
def test_a_retained_policy_that_somebody_replaces_is_put_right(site, mosquitto, ear, data):
    site.write(broker=f"{{embedded: false, host: 127.0.0.1, port: {mosquitto.port}}}")
    heard = ear(mosquitto.port, f"{site.root}/events/#")
    site.up().ready().wait_line("lc1: cycle 1 ")  # so both policies have long been published
    for scope, publisher in (("r1", "rc1"), ("global", "g1")):
        shout(mosquitto.port, f"{site.root}/policy/{scope}", data, "-r")
        event = heard.first(
            lambda _, b, p=publisher: (
                b["sender_id"] == p and b["payload"]["event"] == "policy_restored"
            )
        )
        assert body(event)["payload"]["detail"]["topic"] == f"{site.root}/policy/{scope}"
        late = ear(mosquitto.port, f"{site.root}/policy/{scope}")
        policy = late.first(lambda m, _: m["retain"])
        assert body(policy)["sender_id"] == publisher


def test_a_local_that_only_its_own_file_names_is_a_whole_member_over_http(site):
    site.write(fallbacks="[http]")
    site.up().ready()
    run = run_newcomer(site, newcomer(site, "lc9"), "lc9")
    until(lambda: any(d["local_id"] == "lc9" for d in site.devices()), "its devices at the top")
    until(lambda: waiting(site, "lc9") == 0, "its messages to be acknowledged")
    until(lambda: health(site, "lc9") == "ready", "it to be shown")
    os.kill(run.process.pid, signal.SIGKILL)
    until(lambda: health(site, "lc9") == "down", "it to be shown as down")


def test_local_taken_out_of_the_topology_leaves_no_retained_status(site, mosquitto, ear):
    broker = f"{{embedded: false, host: 127.0.0.1, port: {mosquitto.port}}}"
    site.write(broker=broker)
    assert site.up("--cycles", "1").end() == 0
    before = ear(mosquitto.port, f"{site.root}/status/+")
    before.first(lambda m, _: m["retain"] and m["topic"].endswith("/lc2"))
    text = site.file.read_text()
    site.file.write_text(
        "\n".join(line for line in text.splitlines() if not line.startswith(("  lc2:", "lab:")))
    )
    site.up().ready()
    until(lambda: any(not m["data"] for m in list(before.heard)), "its status to be cleared")
    (cleared,) = [m["topic"] for m in before.heard if not m["data"]]
    assert cleared == f"{site.root}/status/lc2"
    late = ear(mosquitto.port, f"{site.root}/status/+")
    late.first(lambda m, _: m["retain"] and m["topic"].endswith("/lc1"))
    assert not any(m["topic"].endswith("/lc2") for m in late.heard)
