"""Policies on a real store: what is received, remembered or ordered, and makes no sense."""

from __future__ import annotations

import time
from contextlib import closing, contextmanager
from types import SimpleNamespace

import pytest

from pdsno_cli.controllers.policies import REFUSAL_PAUSE, Policies
from pdsno_cli.controllers.policy import regional_document, replaced_by
from pdsno_cli.lint.engine import require
from pdsno_cli.model.messages import Command, Envelope, PolicyDocument
from pdsno_cli.model.refusals import Reason, RefusedError
from pdsno_cli.nib.store import Store
from tests.conftest import ONE_OF_EACH
from tests.controllers.clock import Clock

NOW = int(time.time())
HOSTILE = [
    {"targets": {"lc": ("not an address",)}},
    {"targets": {"lc": ("0.0.0.0/0",)}},
    {"targets": {"lc": ("10.0.0.0/12",)}},
    {"targets": {"lc": ("127.66.0.1", "127.66.0.2")}},
    {"scan_interval": 0.0},
    {"protocols": ("telepathy",)},
    {"version": NOW + 10**9},
]


class World(Clock):
    def __init__(self, store, file, name: str, monkeypatch) -> None:
        super().__init__()
        monkeypatch.setattr("pdsno_cli.controllers.policies.time.monotonic", self.monotonic)
        self.store = store
        self.events: list = []
        self.published: list[PolicyDocument] = []
        self.topology = require(str(file))
        self.policies = Policies(
            SimpleNamespace(
                spec=self.topology.controllers[name],
                topology=self.topology,
                store=store,
                publisher=self,
            )
        )

    @property
    def declared(self) -> PolicyDocument:
        return regional_document(self.topology, "r", 0)

    def publish(self, _, document, answers=None) -> None:
        self.published.append(document)

    @contextmanager
    def unit(self):
        with self.store.transaction() as tx:
            yield SimpleNamespace(tx=tx, stage=lambda _, event, **__: self.events.append(event))

    def hear(self, document: PolicyDocument, stream: str = "policy/r") -> None:
        self.policies.accept(envelope(document, "policy", stream), document)

    def refused(self, document: PolicyDocument, stream: str = "policy/r") -> Reason:
        with pytest.raises(RefusedError) as caught:
            self.hear(document, stream)
        return caught.value.reason


def envelope(payload, kind: str, stream: str) -> Envelope:
    return Envelope(
        message_id="m", message_type=kind, schema_version="1.0", sender_id="rc",
        recipient_id="broadcast", timestamp="t", stream=stream, epoch=1, seq=1, payload=payload,
    )  # fmt: skip


def document(**keys) -> PolicyDocument:
    return PolicyDocument(**{"scope": "r", "version": NOW, **keys})


@pytest.fixture
def world(tmp_path, monkeypatch):
    stores = []

    def make(name: str = "lc") -> World:
        (tmp_path / "t.yaml").write_text(ONE_OF_EACH)
        stores.append(Store.open(tmp_path / f"{name}.db"))
        return World(stores[-1], tmp_path / "t.yaml", name, monkeypatch)

    yield make
    for store in stores:
        with closing(store):
            pass


@pytest.mark.parametrize("keys", HOSTILE)
def test_policy_that_makes_no_sense_is_refused_with_an_event(world, keys):
    local = world()
    before = document(scan_interval=10.0, version=NOW - 1)
    local.hear(before)
    bad = document(**keys)
    assert local.refused(bad) is Reason.INVALID
    assert local.policies.of("r") == [before]
    assert local.store.policy("r").document == before
    event = local.events[-1]
    assert (event.event, event.severity, event.subject) == ("policy_refused", "warning", "lc")
    assert (event.detail["scope"], event.detail["version"]) == ("r", bad.version)
    assert event.detail["why"]
    after = document(scan_interval=20.0)
    local.hear(after)
    assert local.policies.of("r") == [after]


@pytest.mark.parametrize("keys", HOSTILE)
def test_policy_in_the_store_that_makes_no_sense_is_not_gone_by(world, keys):
    local = world()
    with local.store.transaction() as tx:
        tx.put_policy(document(**keys), at=1.0)
        tx.put_policy(document(scope="global", scan_interval=9.0), at=1.0)
    local.policies.recall("global", "r")
    assert [item.scope for item in local.policies.of("global", "r")] == ["global"]
    assert [event.event for event in local.events] == ["policy_refused"]
    local.hear(document(version=NOW - 100))
    assert local.policies.of("r") == [document(version=NOW - 100)]


def test_refused_policies_are_told_of_now_and_then(world):
    local = world()
    for number in range(100):
        local.refused(document(scan_interval=0.0, version=NOW + number))
    assert len(local.events) == 1
    local.wait(REFUSAL_PAUSE + 1)
    local.refused(document(scan_interval=0.0))
    assert len(local.events) == 2
    long = document(targets={"lc": ("x" * 100_000,)}, scope="r")
    local.wait(REFUSAL_PAUSE + 1)
    local.refused(long)
    assert len(local.events[-1].detail["why"]) < 1000


def test_policy_of_another_scope_than_its_topic_is_refused(world):
    local = world()
    assert local.refused(document(scope="global")) is Reason.WRONG_TOPIC
    assert local.refused(document(scope="r2"), "policy/r2") is Reason.WRONG_TOPIC
    assert local.refused(document(), "policy/global") is Reason.WRONG_TOPIC
    assert local.events == []


@pytest.mark.parametrize("keys", HOSTILE)
def test_publisher_goes_back_to_the_file_when_what_it_kept_makes_no_sense(world, keys):
    regional = world("rc")
    kept = document(**keys)
    with regional.store.transaction() as tx:
        tx.put_policy(kept, at=1.0, instead_of=replaced_by(kept, regional.declared))
    regional.policies.publish(regional.declared)
    (sent,) = regional.published
    assert sent.targets == regional.declared.targets
    assert sent.scan_interval is None
    assert NOW <= sent.version <= time.time() + 1
    assert [event.event for event in regional.events] == ["policy_refused", "policy_applied"]
    assert regional.store.policy("r").document == sent


@pytest.mark.parametrize(
    "keys", [*(keys for keys in HOSTILE if "version" not in keys), {"targets": {"lc9": ()}}]
)
def test_publisher_refuses_an_order_that_makes_no_sense(world, keys):
    regional = world("rc")
    command = Command(order="policy", policy=document(**{"version": 0, **keys}))
    with pytest.raises(RefusedError) as caught:
        regional.policies.execute(envelope(command, "command", "command/rc"), command,
                                regional.declared)  # fmt: skip
    assert caught.value.reason is Reason.INVALID
    assert regional.published == []
    assert regional.store.policy("r") is None
