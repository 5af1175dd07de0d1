from __future__ import annotations

import msgspec
import pytest

from pdsno_cli.client.describe import describe
from pdsno_cli.model.messages import Ack, Command, Event, PolicyDocument, Status
from tests.messaging.samples import SAMPLES


class Unknown(msgspec.Struct):
    a: int
    b: str


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        (
            PolicyDocument(
                scope="r1", version=7, scan_interval=30.0, protocols=("icmp", "snmp"),
                missed_cycles=3, targets={"lc1": ("127.0.0.1",)},
            ),
            "r1 version 7 every 30s icmp,snmp missed 3 targets of 1",
        ),
        (PolicyDocument(scope="global", version=1), "global version 1"),
        (Event(event="policy_applied", severity="info", subject="lc1", detail={"version": 7}),
         "policy_applied lc1 version=7"),
        (Event(event="controller_up", severity="info", subject="lc1"), "controller_up lc1"),
        (Status(state="death", role="local", region="r1", connection=1, heartbeat=1.0,
                reason="stop"), "death stop"),
        (Ack(stream="discovery/r1/lc1", epoch=4, seq=9), "discovery/r1/lc1 up to 4/9"),
        (Command(order="discover"), "discover"),
        (Command(order="policy", policy=PolicyDocument(scope="r1", version=0)),
         "policy r1 version 0"),
        (Unknown(a=1, b="x"), "a=1 b=x"),
    ],
)  # fmt: skip
def test_describe_is_one_line(payload, text):
    assert describe(payload) == text


@pytest.mark.parametrize("kind", SAMPLES)
def test_every_kind_has_a_description(kind):
    payload, _, _ = SAMPLES[kind]
    text = describe(payload)
    assert text
    assert "\n" not in text
