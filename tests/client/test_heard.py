from __future__ import annotations

import pytest

from pdsno_cli.client.heard import Heard, listening_time
from pdsno_cli.messaging.codec import Codec
from pdsno_cli.model.messages import Ack, Event, PolicyDocument, Status
from pdsno_cli.model.topics import TopicMap
from pdsno_cli.runtime.acl import publish_acl
from tests.messaging.samples import KEY, LIMIT
from tests.runtime.test_acl import TOPOLOGY

TOPICS = TopicMap()
CODEC = Codec(KEY, TOPICS, LIMIT, publish_acl(TOPOLOGY))


def message(topic, sender, kind, payload, *, epoch=7, seq=1):
    data = CODEC.seal(
        topic=topic, sender_id=sender, message_type=kind, payload=payload, epoch=epoch, seq=seq
    )
    return CODEC.open(topic, data)


def status(state, *, epoch=7, connection=1, reason=None):
    payload = Status(
        state=state, role="local", region="r1", connection=connection, heartbeat=1.0, reason=reason
    )
    return message(TOPICS.status("lc1"), "lc1", "status", payload, epoch=epoch)


BEAT = status("heartbeat")
WILL = status("death", reason="will")


@pytest.mark.parametrize(
    ("heard", "level"),
    [
        ([], "unknown"),
        ([(BEAT, True)], "silent"),
        ([(BEAT, False)], "alive"),
        ([(BEAT, True), (BEAT, False)], "alive"),
        ([(WILL, True)], "down"),
        ([(BEAT, False), (WILL, False)], "down"),
        ([(WILL, True), (status("birth", epoch=8), False)], "alive"),
        # The will of an earlier start or connection arrives after the next birth.
        ([(status("birth", epoch=8), False), (WILL, False)], "alive"),
        ([(status("birth", connection=2), False), (WILL, False)], "alive"),
    ],
)
def test_only_a_fresh_heartbeat_is_a_sign_of_life(heard, level):
    found = Heard(topology=TOPOLOGY)
    for envelope, retained in heard:
        found.add(envelope, retained=retained)
    assert found.controllers["lc1"].level == level
    assert not found.well  # of the others nothing is known


def test_policies_versions_and_offsets_are_noted():
    found = Heard(topology=TOPOLOGY)
    for version in (2, 3):
        document = PolicyDocument(scope="r1", version=version)
        found.add(message(TOPICS.policy("r1"), "rc1", "policy", document), retained=True)
    applied = Event(
        event="policy_applied",
        severity="info",
        subject="lc1",
        region="r1",
        detail={"scope": "r1", "version": 3},
    )
    found.add(message(TOPICS.events("r1"), "lc1", "event", applied), retained=False)
    ack = Ack(stream="discovery/r1/lc1", epoch=7, seq=4)
    found.add(message(TOPICS.ack("lc1"), "rc1", "ack", ack), retained=False)
    assert found.policies["r1"].version == 3
    assert found.applied == {("lc1", "r1"): 3}
    stream = found.streams["lc1", "discovery/r1/lc1"]
    assert (stream.receiver, stream.acknowledged, stream.published) == ("rc1", (7, 4), None)


def test_listening_takes_a_heartbeat_and_a_half_of_the_slowest():
    slowest = max(spec.heartbeat for spec in TOPOLOGY.controllers.values())
    assert listening_time(TOPOLOGY) == pytest.approx(1.5 * slowest + 1)
