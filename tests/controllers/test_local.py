"""A local controller on a real store; cycles end when the test says so."""

from __future__ import annotations

import time
from contextlib import closing, contextmanager
from types import SimpleNamespace

import pytest

from pdsno_cli.controllers.local import POLICY_WAIT, LocalController
from pdsno_cli.discovery.sweep import SweepResult
from pdsno_cli.lint.engine import require
from pdsno_cli.model.messages import Command, DiscoveryReport, Envelope, PolicyDocument
from pdsno_cli.nib.store import Store
from tests.conftest import ONE_OF_EACH
from tests.controllers.clock import Clock

TARGETS = "127.66.0.0/24"


class World(Clock):
    def __init__(self, store, file, monkeypatch) -> None:
        super().__init__()
        monkeypatch.setattr("pdsno_cli.controllers.local.time.monotonic", self.monotonic)
        self.store = store
        self.sweeps: list[SimpleNamespace] = []  # those that were begun
        self.reports: list[tuple[DiscoveryReport, str | None]] = []
        topology = require(str(file))
        self.local = LocalController(
            SimpleNamespace(
                spec=topology.controllers["lc"],
                topology=topology,
                store=store,
                publisher=self,
                scheduler=self,
                background=self,
                sweep=self._sweep,
                watcher=SimpleNamespace(notice=lambda _: None),
            )
        )
        self._version = int(time.time())
        self.local.start()

    def has_published(self, _) -> bool:
        return False

    def full(self, _) -> bool:
        return False

    @contextmanager
    def unit(self):
        with self.store.transaction() as tx:
            yield SimpleNamespace(tx=tx, stage=self._stage)

    def _stage(self, _, payload, answers=None) -> None:
        if isinstance(payload, DiscoveryReport):
            self.reports.append((payload, answers))

    def submit(self, work, done) -> None:
        work()
        self.sweeps[-1].done = done

    def _sweep(self, targets, protocols, _, cancel) -> None:
        self.sweeps.append(
            SimpleNamespace(targets=tuple(targets), protocols=protocols, cancel=cancel)
        )

    def end(self) -> None:
        """Let the cycle that runs end, with nothing found."""
        running = self.sweeps[-1]
        running.done(
            SweepResult(observations=(), probes=(), seconds=1.0, cancelled=running.cancel.is_set())
        )

    def hear(self, payload, kind: str, stream: str) -> Envelope:
        return Envelope(
            message_id=f"m{len(self.sweeps)}", message_type=kind, schema_version="1.0",
            sender_id="rc", recipient_id="broadcast", timestamp="t", stream=stream, epoch=1, seq=1,
            payload=payload,
        )  # fmt: skip

    def policy(self, **keys) -> None:
        self._version += 1
        document = PolicyDocument(scope="r", version=self._version, **keys)
        self.local.receive(self.hear(document, "policy", "policy/r"))

    def order(self) -> str:
        command = Command(order="discover")
        envelope = self.hear(command, "command", "command/lc")
        self.local.execute(envelope, command)
        return envelope.message_id


@pytest.fixture
def world(tmp_path, monkeypatch):
    (tmp_path / "t.yaml").write_text(ONE_OF_EACH.replace("127.66.0.1", TARGETS))
    with closing(Store.open(tmp_path / "lc.db")) as store:
        yield World(store, tmp_path / "t.yaml", monkeypatch)


@pytest.mark.parametrize(
    ("keys", "cut"),
    [
        ({"scan_interval": 5.0}, False),
        ({"targets": {"lc": ("127.66.0.1-127.66.0.200", "127.66.0.90-127.66.0.254")}}, False),
        ({"targets": {"lc": ("127.66.0.7",)}}, True),
        ({"protocols": ("icmp",)}, True),
        ({"protocols": ("snmp", "icmp", "arp")}, False),
    ],
)
def test_cycle_is_cut_by_a_policy_that_wants_less(world, keys, cut):
    world.wait(POLICY_WAIT)
    (running,) = world.sweeps
    world.policy(**keys)
    assert running.cancel.is_set() == cut
    world.end()
    assert len(world.reports) == (not cut)
    world.wait(1.0)
    assert len(world.sweeps) == 1 + cut  # the next comes at once where one was cut
    if cut:
        world.end()
        assert [report.cycle for report, _ in world.reports] == [1]


def test_order_whose_cycle_is_cut_is_answered_by_the_next(world):
    world.wait(POLICY_WAIT)
    world.end()
    order = world.order()
    world.wait(0.0)
    world.policy(targets={"lc": ("127.66.0.7",)})
    world.end()
    world.wait(0.0)
    assert world.sweeps[-1].targets == ("127.66.0.7",)
    world.end()
    assert [answers for _, answers in world.reports] == [None, order]


def test_cycle_that_runs_ends_with_the_controller(world):
    world.wait(POLICY_WAIT)
    world.local.stop()
    assert world.sweeps[-1].cancel.is_set()
