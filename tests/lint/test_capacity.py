"""The figures of a topology, counted by hand, and the assumptions beside what they stand for."""

from __future__ import annotations

import msgspec
import pytest

from pdsno_cli.broker import config
from pdsno_cli.controllers import regional
from pdsno_cli.discovery import arp, icmp
from pdsno_cli.discovery.snmp import agents
from pdsno_cli.lint.capacity import (
    BYTES,
    FASTEST_SUMMARIES,
    SEGMENTS,
    TARGET_BYTES,
    SweepPace,
    capacity,
    count,
    sweep_time,
)
from pdsno_cli.lint.engine import require
from pdsno_cli.messaging.codec import Codec
from pdsno_cli.model.probes import FACTS
from pdsno_cli.spec.topology import Discovery
from tests.messaging.samples import DEVICE, KEY, LIMIT, SAMPLES, TOPICS

PLANE = """\
name: plane
policy: {scan_interval: 20s}
regions:
  a: {policy: {scan_interval: 10s}}
  b: {}
defaults: {heartbeat: 5s}
controllers:
  g: {role: global}
  ra: {role: regional, region: a}
  rb_[1:2]: {role: regional, region: b, heartbeat: 10s}
  la_[1:4]: {role: local, region: a, discovery: {targets: {split: 10.0.0.0/22, into: 24}}}
  lb: {role: local, region: b, heartbeat: 2s, discovery: {targets: [10.1.0.0/24, 10.2.0.1]}}
"""


@pytest.fixture
def plane(tmp_path):
    def make(text: str = "", base: str = PLANE):
        file = tmp_path / "t.yaml"
        file.write_text(base + text)
        return capacity(require(file))

    return make


def test_rates_are_those_of_heartbeats_and_intervals(plane):
    found = plane()
    assert found.controllers == {"global": 1, "regional": 3, "local": 5}
    # Reports: 4 in 10 s in a, 1 in 20 s in b. Each regional of b hears and summarises its region's.
    assert found.published == pytest.approx(
        {
            "discovery": 0.4 + 0.05,
            "summary": 0.4 + 2 * 0.05,
            "ack": 0.4 + 2 * 0.05 + (0.4 + 2 * 0.05),
            "status": 1 / 5 + 1 / 5 + 2 / 10 + 4 / 5 + 1 / 2,
        }
    )
    assert found.delivered == pytest.approx(
        {
            "discovery": 0.4 + 2 * 0.05,
            "summary": 0.4 + 2 * 0.05,
            "ack": 0.4 + 2 * 0.05 + (0.4 + 2 * 0.05),
            "status": 1 / 5 + 2 / 10 + 4 / 5 + 2 * 1 / 2,
        }
    )


def test_consumers_are_one_a_key_and_the_queue_is_that_of_durable_classes(plane):
    found = {item.key: item for item in plane("broker: {host: localhost, queue: 100}\n").consumers}
    assert list(found) == ["g", "ra", "rb_[1:2]", "la_[1:4]", "lb"]
    assert found["rb_[1:2]"].count == 2
    assert found["ra"].rates == pytest.approx({"discovery": 0.4, "status": 0.8, "ack": 0.4})
    assert found["ra"].bytes == pytest.approx(0.4 * 1700 + 0.8 * 560 + 0.4 * 460)
    assert (found["ra"].queue, found["ra"].lasts) == (100, pytest.approx(250))
    assert (found["la_[1:4]"].queue, found["la_[1:4]"].lasts) == (None, None)


def test_queue_of_the_embedded_broker_is_its_segments(plane):
    (found,) = [item for item in plane().consumers if item.key == "ra"]
    assert found.queue == SEGMENTS // 1700
    assert config.SEGMENT_BYTES * config.SEGMENTS == SEGMENTS


def test_queue_of_a_broker_of_unknown_kind_is_not_known(plane):
    found = plane("broker: {host: localhost}\n").consumers
    assert {item.lasts for item in found} == {None}


def test_retained_are_statuses_and_policies(plane):
    found = plane()
    assert found.retained == 9 + 3
    targets = sum(len(text) for text in ("10.0.0.0/24",) * 4 + ("10.1.0.0/24", "10.2.0.1"))
    ids = 4 * len("la_1") + len("lb")
    assert found.retained_bytes == 9 * 560 + 3 * 600 + targets + ids + 11 * TARGET_BYTES
    assert plane("topics: {events: {qos: 1}}\n").retained == 12


def test_sweep_is_that_of_the_policy_in_force(plane):
    first, second = plane().sweeps
    assert (first.key, first.protocol, first.addresses, first.interval) == (
        "la_[1:4]", "snmp", 254, 10.0,
    )  # fmt: skip
    assert first.seconds == pytest.approx(254 / 2000 + 1 + 1)
    assert (second.addresses, second.interval) == (255, 20.0)


def test_sweep_time_is_bound_by_the_rate_or_by_the_timeouts():
    pace = SweepPace(retries=2, timeout=2.0)
    assert sweep_time("snmp", 1, pace) == pytest.approx(6.0, abs=0.01)
    assert sweep_time("snmp", 60_000, pace) == pytest.approx(60_000 * 3 / 2000 + 2)
    assert sweep_time("icmp", 50_000, pace) == pytest.approx(50_000 * 2 / 5000 + 1.0)
    slow = SweepPace(retries=2, timeout=2.0, rate=100, ceiling=3.0)
    assert sweep_time("icmp", 50_000, slow) == pytest.approx(50_000 * 2 / 100 + 3.0)
    several = SweepPace(retries=2, timeout=2.0, rounds=3)
    assert sweep_time("snmp", 1, several) == pytest.approx(18.0, abs=0.01)


def test_link_counts_as_many_addresses_as_a_prefix_of_ipv4():
    assert count(Discovery(targets=("10.0.1.0/24",))) == 254
    assert count(Discovery(targets=("fd00:1::/64", "fd00:2::/120"))) == 254 + 255


def test_outbox_lasts_until_its_first_limit(plane):
    found = {item.key: item for item in plane("outbox: {messages: 1000, age: 3h}\n").backlogs}
    assert set(found) == {"ra", "rb_[1:2]", "la_[1:4]", "lb"}
    assert (found["ra"].limit, found["ra"].lasts) == ("messages", pytest.approx(2500))
    assert (found["la_[1:4]"].limit, found["la_[1:4]"].lasts) == ("messages", pytest.approx(10_000))
    assert (found["lb"].limit, found["lb"].lasts) == ("age", 10_800.0)
    found = {item.key: item for item in plane("outbox: {size: 65536}\n").backlogs}
    assert (found["lb"].limit, found["lb"].lasts) == ("size", pytest.approx(65_536 / 1700 * 20))


@pytest.mark.parametrize("kind", SAMPLES)
def test_assumed_bytes_are_those_of_sealed_messages(kind):
    payload, topic, sender = SAMPLES[kind]
    name = topic.split("/")[1]
    if kind == "discovery_report":
        payload = msgspec.structs.replace(payload, new=(DEVICE,) * 4)
    elif kind == "summary":
        payload = msgspec.structs.replace(payload, new=payload.new[:1] * 4)
    data = Codec(KEY, TOPICS, LIMIT).seal(
        topic=topic, sender_id=sender, message_type=kind, payload=payload, epoch=1, seq=1
    )
    assert len(topic) + len(data) == pytest.approx(BYTES[name], rel=0.2)


def test_assumed_rates_are_those_of_the_code():
    assert 1 / regional.SUMMARY_DELAY == FASTEST_SUMMARIES
    for module, name in ((arp, "arp"), (icmp, "icmp"), (agents, "snmp")):
        assert FACTS[name].rate == module.RATE
