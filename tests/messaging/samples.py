"""Messages of every kind, plain and as hypothesis draws them."""

from __future__ import annotations

import json

import msgspec
from hypothesis import strategies as st

from pdsno_cli.model.devices import Device, ProbeResult
from pdsno_cli.model.messages import (
    Ack,
    Command,
    DiscoveryReport,
    Event,
    LocalCycle,
    Payload,
    PolicyDocument,
    RegionDevice,
    RegionLoss,
    Status,
    Summary,
)
from pdsno_cli.model.numbers import MAX_INTEGER
from pdsno_cli.model.probes import PROTOCOLS
from pdsno_cli.model.schemas import schema_path
from pdsno_cli.model.topics import CLASSES, TopicMap

KEY = bytes(range(32))
TOPICS = TopicMap()
LIMIT = 1_048_576

DEVICE = Device(
    device_id="mac:00:11:22:33:44:55",
    addresses=("10.0.0.1", "10.0.0.2"),
    protocols=PROTOCOLS,
    mac="00:11:22:33:44:55",
    sys_name="core-1",
    sys_descr='a "quoted" name: with a colon, \\ and \n',
    sys_object_id="1.3.6.1.4.1.9.1.716",
    uptime=12345.67,
    extra={"qotd": "a text"},
)
PROBE = ProbeResult(protocol="icmp", targets=30, answers=28, seconds=0.51)

# kind → payload, topic, sender
SAMPLES: dict[str, tuple[Payload, str, str]] = {
    "discovery_report": (
        DiscoveryReport(
            region="zone-A",
            cycle=3,
            snapshot=False,
            outcome="complete",
            started_at="2026-01-02T03:04:05.678Z",
            seconds=0.75,
            probes=(PROBE,),
            new=(DEVICE,),
            updated=(),
            inactive=("ip:10.0.0.9",),
            active=28,
        ),
        TOPICS.discovery("zone-A", "lc_1"),
        "lc_1",
    ),
    "policy": (
        PolicyDocument(
            scope="zone-A",
            version=7,
            scan_interval=30.0,
            protocols=("icmp", "snmp"),
            targets={"lc_1": ("10.0.0.0/24",)},
        ),
        TOPICS.policy("zone-A"),
        "rc_1",
    ),
    "event": (
        Event(
            event="controller_down",
            severity="error",
            subject="lc_1",
            region="zone-A",
            detail={"reason": "will", "epoch": 5, "regions": ["zone-A"], "share": 0.5},
        ),
        TOPICS.events("system"),
        "rc_1",
    ),
    "status": (
        Status(state="birth", role="local", region="zone-A", connection=1, heartbeat=5.0),
        TOPICS.status("lc_1"),
        "lc_1",
    ),
    "summary": (
        Summary(
            region="zone-A",
            snapshot=True,
            locals=(LocalCycle(local_id="lc_1", epoch=1, cycle=3, active=28),),
            new=(RegionDevice(local_id="lc_1", device=DEVICE),),
            updated=(),
            inactive=(RegionLoss(local_id="lc_1", device_id="ip:10.0.0.9"),),
            active=28,
        ),
        TOPICS.summary("zone-A", "rc_1"),
        "rc_1",
    ),
    "ack": (
        Ack(stream="discovery/zone-A/lc_1", epoch=5, seq=17),
        TOPICS.ack("lc_1"),
        "rc_1",
    ),
    "command": (
        Command(order="resend", stream="discovery/zone-A/lc_1", epoch=5, seq=17),
        TOPICS.command("lc_1"),
        "rc_1",
    ),
}

_counts = st.integers(0, MAX_INTEGER)
_seconds = st.floats(0, allow_nan=False, allow_infinity=False)
_floats = st.floats(allow_nan=False, allow_infinity=False)
_texts = st.text(max_size=12)
_optional = st.none() | _texts


def _tuples(items: st.SearchStrategy) -> st.SearchStrategy:
    return st.lists(items, max_size=3).map(tuple)


_devices = st.builds(
    Device,
    device_id=_texts,
    addresses=_tuples(_texts),
    protocols=_tuples(st.sampled_from(PROTOCOLS)),
    mac=_optional,
    sys_name=_optional,
    sys_descr=_optional,
    sys_object_id=_optional,
    uptime=st.none() | _floats,
    extra=st.just(msgspec.UNSET) | st.dictionaries(_texts, _texts, min_size=1, max_size=3),
)
_probes = st.builds(
    ProbeResult,
    protocol=_texts,
    targets=_counts,
    answers=_counts,
    seconds=_seconds,
    error=_optional,
)
_cycles = st.builds(
    LocalCycle,
    local_id=_texts,
    epoch=st.integers(1, MAX_INTEGER),
    cycle=_counts,
    active=_counts,
)
_region_devices = _tuples(st.builds(RegionDevice, local_id=_texts, device=_devices))
_roles = st.sampled_from(["global", "regional", "local"])

_policies = st.builds(
    PolicyDocument,
    scope=_texts,
    version=_counts,
    scan_interval=st.none() | _seconds,
    protocols=st.none() | _tuples(_texts),
    missed_cycles=st.none() | _counts,
    targets=st.none() | st.dictionaries(_texts, _tuples(_texts), max_size=2),
)

PAYLOADS: dict[str, st.SearchStrategy[Payload]] = {
    "discovery_report": st.builds(
        DiscoveryReport,
        region=_texts,
        cycle=_counts,
        snapshot=st.booleans(),
        outcome=st.sampled_from(["complete", "partial", "failed"]),
        started_at=_texts,
        seconds=_seconds,
        probes=_tuples(_probes),
        new=_tuples(_devices),
        updated=_tuples(_devices),
        inactive=_tuples(_texts),
        active=_counts,
    ),
    "policy": _policies,
    "event": st.builds(
        Event,
        event=_texts,
        severity=st.sampled_from(["info", "warning", "error"]),
        subject=_texts,
        region=_optional,
        detail=st.dictionaries(
            _texts,
            _texts
            | st.integers(-MAX_INTEGER, MAX_INTEGER)
            | _floats
            | st.lists(_texts, max_size=2),
            max_size=3,
        ),
    ),
    "status": st.builds(
        Status,
        state=st.sampled_from(["birth", "heartbeat", "death"]),
        role=_roles,
        region=_optional,
        connection=_counts,
        heartbeat=_seconds,
        reason=st.none() | st.sampled_from(["will", "stop"]),
        holder=_texts,
    ),
    "ack": st.builds(Ack, stream=_texts, epoch=st.integers(1, MAX_INTEGER), seq=_counts),
    "command": st.one_of(
        st.builds(
            Command,
            order=st.sampled_from(["resend", "base"]),
            stream=st.text(min_size=1, max_size=12),
            epoch=_counts,
            seq=_counts,
        ),
        st.just(Command(order="discover")),
        st.builds(Command, order=st.just("policy"), policy=_policies),
    ),
    "summary": st.builds(
        Summary,
        region=_texts,
        snapshot=st.booleans(),
        locals=_tuples(_cycles),
        new=_region_devices,
        updated=_region_devices,
        inactive=_tuples(st.builds(RegionLoss, local_id=_texts, device_id=_texts)),
        active=_counts,
    ),
}

# A kind without samples of its own is tested with the examples of its schema.
for _item in CLASSES.values():
    _kind = _item.message_type
    if _kind not in SAMPLES:
        _examples = [
            msgspec.convert(example, _item.payload_type)
            for example in json.loads(schema_path(_kind).read_text())["examples"]
        ]
        _below = _item.patterns[0].format(
            region="zone-A", lc_id="lc_1", rc_id="rc_1", controller_id="lc_1"
        )
        _sender = _below.rsplit("/", 1)[1] if _item.owned else "rc_1"
        SAMPLES[_kind] = (_examples[0], f"{TOPICS.root}/{_below}", _sender)
        PAYLOADS[_kind] = st.sampled_from(_examples)
