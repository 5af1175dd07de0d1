"""What a cycle changes: every rule of docs/discovery.md, and what must hold for any history."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from pdsno_cli.discovery.changes import decide, outcome_of
from pdsno_cli.discovery.merge import merge
from pdsno_cli.model.devices import Device, Observation, ProbeResult
from tests.discovery.results import info, results

A, B, C = "10.0.0.1", "10.0.0.2", "10.0.0.3"
M1, M2 = "02:00:00:00:00:01", "02:00:00:00:00:02"
ALL = ("arp", "icmp", "snmp")


def probe(protocol, *, error=None, targets=9):
    return ProbeResult(protocol=protocol, targets=targets, answers=0, seconds=0.1, error=error)


def probes(*failed):
    return tuple(probe(name, error="broken" if name in failed else None) for name in ALL)


def ping(*addresses):
    return Observation(addresses=addresses, protocols=("icmp",))


def agent_at(address, mac=M1, name="sw", source="snmp", **more):
    return Observation(
        addresses=(address,),
        protocols=("icmp", "snmp"),
        mac=mac,
        mac_source=source,
        sys_name=name,
        **more,
    )


class History:
    """Runs cycles one after another, as a local controller does."""

    def __init__(self, missed_cycles=3, mass_loss=1.0):
        self.known = {}
        self.missed_cycles = missed_cycles
        self.mass_loss = mass_loss
        self.held = False

    def cycle(self, *observations, failed=()):
        changes = decide(
            self.known,
            observations,
            probes=probes(*failed),
            missed_cycles=self.missed_cycles,
            mass_loss=self.mass_loss,
            held=self.held,
        )
        self.known, self.held = changes.known, bool(changes.held)
        return changes

    def reported(self, *observations, failed=()):
        """Return the ids of new, updated and inactive devices."""
        changes = self.cycle(*observations, failed=failed)
        return (
            [d.device_id for d in changes.new],
            [d.device_id for d in changes.updated],
            list(changes.inactive),
        )


NOTHING = ([], [], [])


def test_decide_reports_a_first_sight_as_new_with_a_permanent_id():
    history = History()
    assert history.reported(ping(A), agent_at(B)) == ([f"ip:{A}", f"mac:{M1}"], [], [])
    assert history.reported(agent_at(A, mac=M2), agent_at(B)) == ([], [f"ip:{A}"], [])
    assert history.known[f"ip:{A}"].device.mac == M2


def test_decide_reports_nothing_when_only_uptime_differs():
    history = History()
    history.cycle(agent_at(A, uptime=1.0))
    changes = history.cycle(agent_at(A, uptime=9.0))
    assert not changes.updated
    assert changes.active[0].uptime == 9.0


def test_decide_reports_an_uptime_that_restarted():
    history = History()
    history.cycle(agent_at(A, uptime=900.0))
    assert history.reported(agent_at(A, uptime=5.0)) == ([], [f"mac:{M1}"], [])
    assert history.reported(agent_at(A, uptime=15.0)) == NOTHING


@pytest.mark.parametrize(
    "second",
    [
        agent_at(A, name="other"),
        agent_at(A, sys_descr="x"),
        agent_at(B),
        agent_at(A, sys_object_id="1.3"),
    ],
)
def test_decide_reports_any_other_difference_as_updated(second):
    history = History(missed_cycles=1)
    history.cycle(agent_at(A))
    assert history.reported(second) == ([], [f"mac:{M1}"], [])


def test_decide_reports_inactive_after_missed_cycles_in_a_row():
    history = History()
    history.cycle(ping(A))
    assert [history.reported() for _ in range(4)] == [
        NOTHING,
        NOTHING,
        ([], [], [f"ip:{A}"]),
        NOTHING,
    ]


def test_decide_restarts_counting_after_an_answer():
    history = History()
    history.cycle(ping(A))
    history.cycle()
    history.cycle()
    history.cycle(ping(A))
    assert [history.reported() for _ in range(3)] == [NOTHING, NOTHING, ([], [], [f"ip:{A}"])]


def test_decide_reports_a_return_as_new_under_the_old_id():
    history = History(missed_cycles=1)
    history.cycle(agent_at(A))
    history.cycle()
    changes = history.cycle(ping(A))
    assert [(d.device_id, d.mac, d.sys_name) for d in changes.new] == [(f"mac:{M1}", M1, None)]


def test_decide_takes_another_mac_at_an_address_for_another_device():
    history = History()
    history.cycle(agent_at(A, mac=M1))
    assert history.reported(agent_at(A, mac=M2)) == ([f"mac:{M2}"], [], [])
    history.cycle(agent_at(A, mac=M2))
    assert history.reported(agent_at(A, mac=M2)) == ([], [], [f"mac:{M1}"])


def test_decide_does_not_take_the_agents_mac_for_another_device_when_arp_missed():
    history = History()
    history.cycle(agent_at(A, mac=M1, source="arp"))
    assert history.reported(agent_at(A, mac=M2, source="snmp")) == NOTHING
    assert history.known[f"mac:{M1}"].device.mac == M1


def test_decide_lets_arp_correct_the_agents_mac():
    history = History()
    history.cycle(agent_at(A, mac=M2, source="snmp"))
    assert history.reported(agent_at(A, mac=M1, source="arp")) == ([], [f"mac:{M2}"], [])
    assert history.reported(agent_at(B, mac=M2, source="snmp")) == ([f"mac:{M2}#2"], [], [])


def test_decide_follows_a_mac_to_another_address():
    history = History()
    history.cycle(agent_at(A))
    changes = history.cycle(agent_at(B))
    assert [d.addresses for d in changes.updated] == [(A, B)]
    history.cycle(agent_at(B))
    assert [d.addresses for d in history.cycle(agent_at(B)).updated] == [(B,)]


def test_decide_gives_up_an_address_at_once_when_another_device_has_it():
    history = History()
    history.cycle(agent_at(A, mac=M1))
    changes = history.cycle(agent_at(B, mac=M1), agent_at(A, mac=M2))
    assert [(d.device_id, d.addresses) for d in changes.updated] == [(f"mac:{M1}", (B,))]
    assert [(d.device_id, d.addresses) for d in changes.new] == [(f"mac:{M2}", (A,))]


def test_decide_joins_two_known_devices_that_prove_to_be_one():
    history = History()
    history.cycle(agent_at(A), ping(B))
    joined = Observation(addresses=(A, B), protocols=("icmp", "snmp"), mac=M1, mac_source="snmp")
    changes = history.cycle(joined)
    assert [(d.device_id, d.addresses) for d in changes.updated] == [(f"mac:{M1}", (A, B))]
    assert changes.inactive == changes.forgotten == (f"ip:{B}",)
    assert f"ip:{B}" not in changes.known


def test_decide_keeps_agents_that_share_a_mac_apart_also_when_one_does_not_answer():
    history = History()
    one, two = info(sys_name="one", mac=M1), info(sys_name="two", mac=M1)
    both = merge(results(icmp=frozenset({A, B}), snmp={A: one, B: two}))
    history.cycle(*both)
    for lost in (B, A, B, A):
        left = {address: found for address, found in ((A, one), (B, two)) if address != lost}
        history.cycle(*merge(results(icmp=frozenset({A, B}), snmp=left)))
        history.cycle(*both)
        assert [(k, i.device.addresses, i.device.sys_name) for k, i in history.known.items()] == [
            (f"ip:{A}", (A,), "one"),
            (f"ip:{B}", (B,), "two"),
        ]


def test_decide_removes_an_address_that_no_longer_shows_the_mac():
    history = History()
    both = Observation(addresses=(A, B), protocols=("icmp", "snmp"), mac=M1, mac_source="snmp")
    history.cycle(both)
    part = replace(both, addresses=(A,))
    assert [history.reported(part, ping(B)) for _ in range(3)] == [
        NOTHING,
        NOTHING,
        ([f"ip:{B}"], [f"mac:{M1}"], []),
    ]
    assert history.reported(part, ping(B)) == NOTHING


def test_decide_in_a_failed_cycle_changes_nothing():
    history = History(missed_cycles=1)
    history.cycle(ping(A))
    changes = history.cycle(failed=ALL)
    assert (changes.outcome, changes.inactive, changes.known) == ("failed", (), history.known)
    assert [d.device_id for d in changes.active] == [f"ip:{A}"]


def test_decide_does_not_count_a_miss_where_the_only_protocol_failed():
    history = History(missed_cycles=1)
    history.cycle(Observation(addresses=(A,), protocols=("snmp",)), ping(B))
    changes = history.cycle(failed=("snmp",))
    assert (changes.outcome, changes.inactive) == ("partial", (f"ip:{B}",))


def test_decide_keeps_the_fields_of_a_failed_protocol():
    history = History(missed_cycles=1)
    history.cycle(agent_at(A))
    for _ in range(3):
        assert history.reported(ping(A), failed=("snmp",)) == NOTHING
    assert history.known[f"mac:{M1}"].device.sys_name == "sw"


def test_decide_keeps_the_fields_of_a_silent_agent_for_missed_cycles():
    history = History()
    history.cycle(agent_at(A))
    assert [history.reported(ping(A)) for _ in range(3)] == [
        NOTHING,
        NOTHING,
        ([], [f"mac:{M1}"], []),
    ]
    device = history.known[f"mac:{M1}"].device
    assert (device.protocols, device.sys_name, device.mac) == (("icmp",), None, M1)


def test_decide_takes_several_addresses_of_a_silent_agent_for_the_one_device():
    history = History()
    both = Observation(addresses=(A, B), protocols=("icmp", "snmp"), mac=M1, mac_source="snmp")
    history.cycle(both)
    assert [history.reported(ping(A), ping(B)) for _ in range(2)] == [NOTHING, NOTHING]


@pytest.mark.parametrize(
    ("results", "outcome"),
    [
        ((), "failed"),
        ((probe("arp", targets=0),), "failed"),
        ((probe("arp", targets=0), probe("icmp")), "complete"),
        ((probe("icmp"), probe("snmp", error="x")), "partial"),
        ((probe("arp", targets=0), probe("icmp", error="x")), "failed"),
    ],
)
def test_outcome_depends_on_the_applicable_probes(results, outcome):
    assert outcome_of(results) == outcome


addresses = st.sampled_from([f"10.0.0.{n}" for n in range(1, 6)])
macs = st.sampled_from([f"02:00:00:00:00:0{n}" for n in range(1, 4)])
names = st.none() | st.sampled_from(["x", "y"])
sweeps = st.builds(
    results,
    arp=st.dictionaries(addresses, macs, max_size=3),
    icmp=st.frozensets(addresses),
    snmp=st.dictionaries(
        addresses,
        st.builds(info, mac=st.none() | macs, sys_name=names, uptime=st.floats(0, 9)),
        max_size=3,
    ),
)


def without(answers, failed):
    return {name: {} if name in failed else found for name, found in answers.items()}


cycles = st.lists(st.tuples(sweeps, st.frozensets(st.sampled_from(ALL))), max_size=12)


def comparable(devices):
    return {d.device_id: replace(d, uptime=None) for d in devices}


@given(cycles, st.integers(1, 3))
def test_a_receiver_of_the_reports_holds_what_the_local_holds(history, missed_cycles):
    known, receiver = {}, {}
    for answers, failed in history:
        before = known
        changes = decide(
            known,
            merge(without(answers, failed)),
            probes=probes(*failed),
            missed_cycles=missed_cycles,
        )
        known = changes.known
        assert not set(receiver) & {d.device_id for d in changes.new}
        assert {d.device_id for d in changes.updated} <= set(receiver)
        assert set(changes.inactive) <= set(receiver)
        for device in (*changes.new, *changes.updated):
            receiver[device.device_id] = device
        for device_id in changes.inactive:
            del receiver[device_id]
        assert comparable(receiver.values()) == comparable(changes.active)
        assert all(key == item.device.device_id for key, item in known.items())
        assert all(item.device.addresses and item.device.protocols for item in known.values())
        assert set(before) - set(known) == set(changes.forgotten)


@given(cycles, sweeps, st.integers(1, 3))
def test_repeated_sweep_converges(history, last, missed_cycles):
    known = {}
    for answers, failed in history:
        known = decide(
            known,
            merge(without(answers, failed)),
            probes=probes(*failed),
            missed_cycles=missed_cycles,
        ).known
    for _ in range(3 * missed_cycles + 2):
        changes = decide(known, merge(last), probes=probes(), missed_cycles=missed_cycles)
        known = changes.known
    assert (changes.new, changes.updated, changes.inactive) == ((), (), ())


@given(sweeps, st.integers(1, 3))
def test_the_same_sweep_twice_changes_nothing_the_second_time(answers, missed_cycles):
    first = decide({}, merge(answers), probes=probes(), missed_cycles=missed_cycles)
    second = decide(first.known, merge(answers), probes=probes(), missed_cycles=missed_cycles)
    assert (second.new, second.updated, second.inactive) == ((), (), ())
    assert isinstance(first.active, tuple)
    assert all(isinstance(device, Device) for device in first.active)


def identified(**extra):
    return agent_at(A, sys_descr="Switch 1.0", sys_object_id="1.3.6.1.4.1.9.1.1", extra=extra)


def test_what_is_asked_for_rarely_is_kept_while_the_same_agent_answers_without_it():
    history = History()
    history.cycle(identified(vendor="Cisco", detail="abc"))
    assert history.reported(agent_at(
        A, sys_descr="Switch 1.0", sys_object_id="1.3.6.1.4.1.9.1.1"
    )) == ([], [], [])  # fmt: skip
    (device,) = (item.device for item in history.known.values())
    assert device.extra == {"vendor": "Cisco", "detail": "abc"}


def test_another_agent_at_the_address_does_not_inherit_what_the_first_said_of_itself():
    history = History()
    history.cycle(identified(vendor="Cisco", detail="abc"))
    history.cycle(agent_at(A, sys_descr="Printer", sys_object_id="1.3.6.1.4.1.11.2.3.9.1"))
    (device,) = (item.device for item in history.known.values())
    assert not device.extra


def test_a_change_has_the_values_before_and_after():
    history = History()
    assert history.cycle(agent_at(A, name="one")).history == ()
    (change,) = history.cycle(agent_at(A, name="two")).history
    assert (change.kind, change.fields) == ("updated", {"sys_name": ("one", "two")})


def test_a_device_that_answers_at_other_addresses_only_has_moved():
    history = History(missed_cycles=1)
    history.cycle(agent_at(A))
    (change,) = history.cycle(agent_at(B)).history
    assert (change.kind, change.fields["addresses"]) == ("moved", (A, B))


@pytest.mark.parametrize(
    ("before", "after", "kinds"),
    [
        (500.0, 3.0, ["rebooted"]),
        (500.0, 501.0, []),
        (2**32 / 100 - 60, 20.0, []),  # wrapped after 497 days
        (2**32 / 100 - 60, 200_000.0, ["rebooted"]),  # no cycle was that long ago
        (2**32 / 100 - 90_000, 20.0, ["rebooted"]),
    ],
)
def test_an_uptime_that_falls_is_a_reboot_unless_it_wrapped(before, after, kinds):
    history = History()
    history.cycle(agent_at(A, uptime=before))
    assert [change.kind for change in history.cycle(agent_at(A, uptime=after)).history] == kinds


def test_gone_and_back_are_in_the_history():
    history = History(missed_cycles=1)
    history.cycle(ping(A))
    assert [change.kind for change in history.cycle().history] == ["inactive"]
    assert [change.kind for change in history.cycle(ping(A)).history] == ["back"]


MANY = [f"10.0.1.{number}" for number in range(1, 21)]


def test_a_mass_loss_is_held_back_for_one_cycle():
    history = History(missed_cycles=1, mass_loss=0.5)
    history.cycle(*map(ping, MANY))
    held = history.cycle(ping(MANY[0]))
    assert len(held.held) == len(MANY) - 1
    assert held.inactive == held.history == ()
    assert len(history.cycle(ping(MANY[0])).inactive) == len(MANY) - 1


def test_a_mass_loss_that_was_none_changes_nothing():
    history = History(missed_cycles=2, mass_loss=0.5)
    history.cycle(*map(ping, MANY))
    history.cycle()
    assert history.cycle().held
    assert history.reported(*map(ping, MANY)) == ([], [], [])
    assert not history.held


@pytest.mark.parametrize(("lost", "share"), [(5, 0.1), (9, 0.5), (20, 1.0)])
def test_few_devices_or_less_than_the_share_go_at_once(lost, share):
    history = History(missed_cycles=1, mass_loss=share)
    history.cycle(*map(ping, MANY))
    assert len(history.cycle(*map(ping, MANY[lost:])).inactive) == lost


def test_a_device_that_comes_and_goes_stays_longer_each_time():
    history = History(missed_cycles=2)
    history.cycle(ping(A))
    silent, flapping = [], []
    for _ in range(5):
        cycles = 1
        while not history.cycle().inactive:
            cycles += 1
        silent.append(cycles)
        flapping += history.cycle(ping(A)).flapping
    assert silent == [2, 2, 4, 8, 16]
    assert set(flapping) == {f"ip:{A}"}


def test_a_device_that_is_calm_for_long_no_longer_counts_as_flapping():
    history = History(missed_cycles=1)
    history.cycle(ping(A))
    for _ in range(3):
        while not history.cycle().inactive:
            pass
        history.cycle(ping(A))
    for _ in range(3 * 20 + 3):
        history.cycle(ping(A))
    assert history.cycle().inactive
