"""A regional controller is killed, time and again, while it takes in a flood from the broker's queue.

That is where it gathers thousands of reports while thousands more are being committed.
"""

from __future__ import annotations

import random
import time
from collections import Counter

from pdsno_cli.model.devices import Device
from pdsno_cli.model.messages import DiscoveryReport
from pdsno_cli.nib.reader import open_reader
from tests.bench.test_ingest import Bench
from tests.faults.arena import FULL, SEED
from tests.faults.results import record

SENDERS, DEVICES = 10, 50
REPORTS, DEATHS = (60_000, 12) if FULL else (20_000, 3)
LIFE = 0.25  # seconds at most, of a flood that takes some two


def test_regional_killed_in_a_flood_applies_each_report_once(tmp_path):
    bench = Bench(tmp_path, SENDERS)
    regional = None
    try:
        picks = random.Random(SEED)
        told: Counter[str] = Counter()
        messages = [sealed(bench, number, picks, told) for number in range(REPORTS)]
        bench.fill("pdsno-rc", messages)
        for death in range(DEATHS):
            regional = bench.start(afresh=death == 0)
            bench.await_birth()
            time.sleep(picks.uniform(0, LIFE))
            regional.kill()
            regional.wait(10)
        regional = bench.start(afresh=False)
        bench.await_birth()
        bench.await_committed(REPORTS)
        regional.terminate()
        assert regional.wait(20) == 0
    finally:
        if regional is not None and regional.poll() is None:
            regional.kill()
            regional.wait(10)
        bench.broker.end()
    with open_reader(bench.state.store("rc")) as store:
        received = store.counters()
        versions = Counter({one.device.device_id: one.version for one in store.device_records()})
    # Each report that tells of a device changes it, so its version counts them.
    record("regional killed in a flood", broker="mosquitto", seed=SEED, deaths=DEATHS,
           accepted=sum(counters.applied for counters in received.values()), lost=(told - versions).total(),
           twice=(versions - told).total(), wrong=0)  # fmt: skip
    assert versions == told
    assert {(counters.seq, counters.applied) for counters in received.values()} == {
        (REPORTS // SENDERS, REPORTS // SENDERS)
    }


def sealed(bench, number, picks, told):
    """Return the next report, of two devices of its sender that it gives another name."""
    sender = bench.senders[number % SENDERS]
    seq = number // SENDERS + 1
    names = [f"{sender}-{device}" for device in picks.sample(range(DEVICES), 2)]
    told.update(names)
    devices = tuple(
        Device(
            device_id=name, addresses=("192.0.2.1",), protocols=("icmp",), sys_name=f"name {seq}"
        )
        for name in names
    )
    report = DiscoveryReport(
        region="r", cycle=seq, snapshot=seq == 1, outcome="complete",
        started_at="2026-01-01T00:00:00.000Z", seconds=0.1, probes=(), new=(), updated=devices,
        inactive=(), active=DEVICES,
    )  # fmt: skip
    topic = bench.topology.topics.discovery("r", sender)
    return topic, bench.codec.seal(
        topic=topic, sender_id=sender, message_type="discovery_report", payload=report, epoch=1,
        seq=seq,
    )  # fmt: skip
