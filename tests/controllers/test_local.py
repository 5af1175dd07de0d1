"""A local controller on a real store; cycles end when the test says so."""

from __future__ import annotations

import time
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest

from pdsno_cli.controllers.local import POLICY_WAIT, LocalController
from pdsno_cli.discovery.sweep import SweepResult
from pdsno_cli.lint.engine import require
from pdsno_cli.model.details import Detail, Interface, Neighbour, joined, pieces
from pdsno_cli.model.devices import Device, Known, Observation, ProbeResult
from pdsno_cli.model.messages import Command, DiscoveryReport, Envelope, Event, PolicyDocument
from pdsno_cli.model.refusals import RefusedError
from pdsno_cli.nib.store import Store
from tests.conftest import ONE_OF_EACH
from tests.controllers.clock import Clock

TARGETS = "127.66.0.0/24"


def declare(settings: str) -> str:
    return ONE_OF_EACH.replace("targets: [127.66.0.1]", f"targets: [{TARGETS}]{settings}")


class World(Clock):
    def __init__(self, store, file, monkeypatch) -> None:
        super().__init__()
        monkeypatch.setattr("pdsno_cli.controllers.local.time.monotonic", self.monotonic)
        monkeypatch.setattr("pdsno_cli.model.blackouts.local_now", lambda: self.wall)
        self.store = store
        self.notices: list[object] = []
        self.skew = 0.0  # seconds by which the wall clock was set
        self._file = file
        self.sweeps: list[SimpleNamespace] = []  # those that were begun
        self.reports: list[tuple[DiscoveryReport, str | None]] = []
        self.events: list[Event] = []
        topology = require(str(file))
        self._context = SimpleNamespace(
            spec=topology.controllers["lc"],
            topology=topology,
            store=store,
            publisher=self,
            scheduler=self,
            background=self,
            sweep=self._sweep,
            watcher=SimpleNamespace(notice=self.notices.append),
        )
        self.local = LocalController(self._context)
        self._version = int(time.time())
        self.local.start()

    def redeclare(self, settings: str) -> None:
        """Give the local controller's discovery these settings instead, as an apply does."""
        before = self._context.topology
        self._file.write_text(declare(settings))
        self._context.topology = require(str(self._file))
        self._context.spec = self._context.topology.controllers["lc"]
        self.local.reconfigured(before, frozenset())

    @property
    def wall(self) -> datetime:
        """The time of day: 12:00 on a Wednesday when the clock shows 1000."""
        noon = datetime(2026, 11, 25, 12)  # noqa: DTZ001  # local times have no zone
        return noon + timedelta(seconds=self.now - 1000.0 + self.skew)

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
        else:
            self.events.append(payload)

    def submit(self, work, done) -> None:
        work()
        self.sweeps[-1].done = done

    def _sweep(self, targets, protocols, _, cancel, **settings) -> None:
        self.sweeps.append(
            SimpleNamespace(targets=tuple(targets), protocols=protocols, cancel=cancel, **settings)
        )

    def end(self, *observations, **findings) -> None:
        """Let the cycle that runs end, with these observations."""
        running = self.sweeps[-1]
        probe = ProbeResult(protocol="snmp", targets=9, answers=len(observations), seconds=0.1)
        running.done(
            SweepResult(
                observations=observations,
                probes=(probe,) if observations else (),
                seconds=1.0,
                cancelled=running.cancel.is_set(),
                **findings,
            )
        )

    def cycle(self, *observations, **findings) -> DiscoveryReport:
        """Let the next cycle begin and end; return its report."""
        self.wait(60.0)
        self.end(*observations, **findings)
        return self.reports[-1][0]

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
def make(tmp_path, monkeypatch):
    """Return a function that makes a world whose local controller has these settings, too."""
    with closing(Store.open(tmp_path / "lc.db")) as store:

        def world(settings: str = "") -> World:
            (tmp_path / "t.yaml").write_text(declare(settings))
            return World(store, tmp_path / "t.yaml", monkeypatch)

        yield world


@pytest.fixture
def world(make):
    return make()


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


DETAIL = Detail(
    interfaces=(Interface(index=1, name="p1"),),
    neighbours=(Neighbour(interface="p1", protocol="lldp", name="core"),),
)


def agent(number: int, **fields) -> Observation:
    return Observation(
        addresses=(f"127.66.0.{number}",),
        protocols=("icmp", "snmp"),
        sys_name=f"d{number}",
        **fields,
    )


def test_a_detail_is_stored_whole_and_reported_brief_when_it_changes(world):
    details = {"127.66.0.1": DETAIL}
    first = world.cycle(agent(1), agent(2), details=details)
    assert first.new[0].extra == {"detail": DETAIL.digest}
    assert list(first.details) == pieces("ip:127.66.0.1", DETAIL, brief=True)
    (stored,) = world.store.details()
    assert (stored.brief, stored.detail) == (False, DETAIL)
    assert not world.cycle(agent(1), agent(2)).details  # not read, so kept
    assert not world.cycle(agent(1), agent(2), details=details).details
    other = Detail(chassis="x")
    changed = world.cycle(agent(1), agent(2), details={"127.66.0.1": other})
    assert [item.detail for item in joined(changed.details)] == [other]
    assert changed.changes[0].fields["detail"] == (DETAIL.digest, other.digest)


def test_a_snapshot_has_the_details_of_all_devices(world):
    world.cycle(agent(1), agent(2), details={"127.66.0.1": DETAIL, "127.66.0.2": Detail()})
    world.local.resync()
    report = world.reports[-1][0]
    assert report.snapshot
    assert [item.device_id for item in joined(report.details)] == ["ip:127.66.0.1", "ip:127.66.0.2"]


def test_the_events_of_a_cycle_name_the_device(world):
    world.cycle(agent(1, uptime=900.0), agent(2))
    world.cycle(agent(1, uptime=3.0), agent(2), refused=("127.66.0.2",))
    assert [(item.event, item.subject, item.detail["name"]) for item in world.events] == [
        ("device_rebooted", "ip:127.66.0.1", "d1"),
        ("credential_refused", "ip:127.66.0.2", "d2"),
    ]


def test_what_lasts_is_announced_once_and_again_when_it_returns(world):
    conflict = {"127.66.0.1": ("02:00:00:00:00:01", "02:00:00:00:00:02")}
    for conflicts in (conflict, conflict, {}, conflict):
        world.cycle(agent(1), conflicts=conflicts)
    assert [(item.event, item.detail["macs"]) for item in world.events] == [
        ("address_conflict", ["02:00:00:00:00:01", "02:00:00:00:00:02"])
    ] * 2


def test_many_events_of_a_kind_are_summed_up(world):
    world.cycle(*(agent(n, uptime=900.0) for n in range(1, 16)))
    world.cycle(*(agent(n, uptime=3.0) for n in range(1, 16)))
    assert len(world.events) == 11
    assert world.events[-1].detail == {"further_devices": 5}


def test_a_mass_loss_is_held_for_one_cycle_and_announced(world):
    everybody = [agent(n) for n in range(1, 16)]
    world.cycle(*everybody)
    for _ in range(2):
        world.cycle(agent(1))
    held = world.cycle(agent(1))
    assert (held.inactive, held.active) == ((), 15)
    assert [(item.event, item.detail) for item in world.events] == [
        ("mass_loss_held", {"devices": 14, "present": 15})
    ]
    assert len(world.cycle(agent(1)).inactive) == 14
    assert len(world.events) == 1


def test_cycle_probes_no_excluded_address(make):
    world = make(", exclude: [127.66.0.2-127.66.0.254]")
    world.wait(POLICY_WAIT)
    assert world.sweeps[-1].targets == ("127.66.0.1",)


def test_cycle_probes_at_the_declared_pace(make):
    world = make(", rate: 100, timeout: {floor: 200ms, ceiling: 2s}, snmp_to: all")
    world.wait(POLICY_WAIT)
    pace = world.sweeps[-1].pace
    assert (pace.rate, pace.floor, pace.ceiling) == (100, 0.2, 2.0)
    assert not world.sweeps[-1].answering_only


def test_snmp_is_asked_of_those_that_answer_icmp_unless_declared_otherwise(world):
    world.wait(POLICY_WAIT)
    assert world.sweeps[-1].answering_only


def test_first_cycle_each_tenth_and_an_ordered_one_wait_for_every_silent_target(world):
    device = Device(device_id="ip:1", addresses=("127.66.0.1",), protocols=("icmp",))
    with world.store.transaction() as tx:
        tx.put_known("lc", "r", [Known(device=device)], seen={"ip:1"}, at=time.time())
    thorough = []
    for _ in range(12):
        world.wait(40.0)
        thorough.append(world.sweeps[-1].pace.known is None)
        if not thorough[-1]:
            assert world.sweeps[-1].pace.known == {"127.66.0.1": ("icmp",)}
        world.end()
        with world.store.transaction() as tx:
            tx.put_known("lc", "r", [Known(device=device)], seen={"ip:1"}, at=time.time())
    assert [number for number, found in enumerate(thorough) if found] == [0, 10]
    world.order()
    world.wait(0.0)
    assert world.sweeps[-1].pace.known is None


def test_cycles_start_within_a_few_percent_of_the_interval(world):
    world.wait(POLICY_WAIT)
    waits = []
    for number in range(2, 40):
        started = world.now
        world.end()
        while len(world.sweeps) < number:
            world.wait(0.1)
        waits.append(world.now - started)
    assert min(waits) < 29.9
    assert max(waits) > 30.1
    assert all(29.0 <= wait <= 31.0 for wait in waits)


def test_no_cycle_starts_in_a_blackout_and_it_says_until_when(make):
    world = make(', blackout: ["11:00-13:00"]')
    text = "blackout until 2026-11-25 13:00: no cycle starts before"
    with pytest.raises(RefusedError, match=text):
        world.order()
    world.wait(3500.0)
    assert not world.sweeps
    assert [notice.text for notice in world.notices] == [text]
    world.wait(110.0)
    assert len(world.sweeps) == 1


def test_cycle_that_runs_ends_when_a_blackout_begins_and_changes_nothing(make):
    world = make(', blackout: ["Wed 12:01-12:30"]')
    world.wait(50.0)
    (running,) = world.sweeps
    world.wait(9.0)
    assert not running.cancel.is_set()
    world.wait(2.0)
    assert running.cancel.is_set()
    world.end()
    world.wait(1700.0)
    assert (len(world.sweeps), world.reports) == (1, [])
    world.wait(100.0)
    assert len(world.sweeps) == 2


def test_cycle_starts_when_a_blackout_is_removed_from_the_file(make):
    world = make(', blackout: ["11:00-13:00"]')
    world.wait(100.0)
    assert not world.sweeps
    world.redeclare("")
    world.wait(1.0)
    assert len(world.sweeps) == 1


def test_cycle_that_runs_ends_when_a_blackout_is_added_to_the_file(make):
    world = make()
    world.wait(POLICY_WAIT)
    world.redeclare(', blackout: ["11:00-13:00"]')
    assert world.sweeps[-1].cancel.is_set()
    world.end()
    world.wait(600.0)
    assert len(world.sweeps) == 1


def test_blackout_follows_a_wall_clock_that_is_set(make):
    world = make(', blackout: ["11:00-13:00"]')
    world.wait(100.0)
    world.skew += 3600.0
    world.wait(61.0)
    assert len(world.sweeps) == 1


def test_an_order_to_describe_is_answered_with_the_whole_details_and_no_change(world):
    world.cycle(agent(1), agent(2), details={"127.66.0.1": DETAIL, "127.66.0.2": Detail()})
    command = Command(order="describe", devices=("ip:127.66.0.1", "ip:gone"))
    envelope = world.hear(command, "command", "command/lc")
    world.local.execute(envelope, command)
    report, answers = world.reports[-1]
    assert answers == envelope.message_id
    assert [(item.device_id, item.brief, item.detail) for item in joined(report.details)] == [
        ("ip:127.66.0.1", False, DETAIL)
    ]
    assert (report.new, report.updated, report.inactive, report.active) == ((), (), (), 2)
    assert not report.snapshot
