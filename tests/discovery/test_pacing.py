"""Rate, retries and patience of sweeps with real packets: slow hosts, lost packets, quick links."""

from __future__ import annotations

import pytest

# No IPv6: the packets that are counted are the sweep's.
NEAR = "sysctl -qw net.ipv6.conf.near0.disable_ipv6=1; ip addr add 10.101.0.1/16 dev near0"
ALIVE = 300
TARGETS = 1021
HOSTS = {"first": "10.101.1.1", "count": ALIVE}
SLOW_ARP = HOSTS | {"slow_arp": {"10.101.1.7": 0.8}}
SLOW = HOSTS | {"slow": {"10.101.1.7": 0.8}}
CODE = """
import json, threading, time
from pdsno_cli.discovery import arp, icmp, onlink
from pdsno_cli.model.targets import AddressSet
targets = AddressSet.of(["10.101.0.2-10.101.3.254"])
started = time.monotonic()
def sent():
    with open("/proc/net/dev") as file:
        return next(int(line.split()[10]) for line in file if "near0" in line)
before = sent()
cancel = threading.Event()
{}
print(json.dumps([len(found), time.monotonic() - started, sent() - before]))
"""
ARP = "found = arp.sweep(onlink.on_link(targets), cancel, {})"
ICMP = "found = icmp.sweep(targets, cancel, {})"
BOTH_TRIES = ALIVE + 2 * (TARGETS - ALIVE)


@pytest.mark.parametrize(("sweep", "hosts"), [(ARP, SLOW_ARP), (ICMP, SLOW)])
def test_host_that_answers_after_800_ms_is_found_among_quick_ones(in_namespace, sweep, hosts):
    found, seconds, _ = in_namespace(CODE.format(sweep.format("")), near=NEAR, hosts=hosts)
    assert found == ALIVE
    assert seconds < 10  # not one after another


def test_known_host_that_answers_after_800_ms_is_found_by_an_impatient_sweep(in_namespace):
    known = ARP.format("patient={'10.101.1.7'}")
    found, _, _ = in_namespace(CODE.format(known), near=NEAR, hosts=SLOW_ARP)
    assert found == ALIVE


def test_hosts_that_all_answer_after_800_ms_are_found(in_namespace):
    slow = HOSTS | {"delay": 0.4}
    found, _, _ = in_namespace(CODE.format(ARP.format("patient=()")), near=NEAR, hosts=slow)
    assert found == ALIVE


def test_impatient_sweep_of_a_quick_link_ends_long_before_the_ceiling(in_namespace):
    quick = ARP.format("timeout=30.0, rate=20000, floor=0.2, patient=()")
    found, seconds, packets = in_namespace(CODE.format(quick), near=NEAR, hosts=HOSTS)
    assert found == ALIVE
    assert seconds < 15
    assert packets >= BOTH_TRIES


@pytest.mark.parametrize(("loss", "share"), [(0.02, 0.999), (0.1, 0.985)])
def test_sweep_through_a_lossy_slow_link_finds_nearly_all(in_namespace, loss, share):
    """Loss and delay are in both directions: of a round trip, twice as much."""
    lossy = HOSTS | {"loss": loss, "delay": 0.05, "jitter": 0.02}
    found, _, _ = in_namespace(CODE.format(ARP.format("patient=()")), near=NEAR, hosts=lossy)
    assert found >= ALIVE * share


def test_sweep_sends_no_more_packets_a_second_than_its_rate(in_namespace):
    slow = ARP.format("rate=1000, timeout=0.1, floor=None")
    found, seconds, packets = in_namespace(CODE.format(slow), near=NEAR, hosts=HOSTS)
    assert found == ALIVE
    assert packets >= BOTH_TRIES
    assert packets <= 1000 * seconds + 64


def test_impatient_sweep_of_many_targets_retries_only_where_packets_get_lost(in_namespace):
    """Of a /16 with 655 hosts: without loss the silent ones beyond the first 4,096 get one try."""
    code = CODE.replace("10.101.0.2-10.101.3.254", "10.101.0.2-10.101.255.254")
    many = {"first": "10.101.0.50", "count": 655, "step": 100}
    once = ARP.format("rate=20000, floor=0.2, patient=()")
    found, _, packets = in_namespace(code.format(once), near=NEAR, hosts=many)
    assert found == 655
    assert packets < 65_000 + 4096 + 2000


@pytest.mark.parametrize(("protocols", "slow"), [(("arp",), False), (("arp", "icmp"), True)])
def test_quick_sweep_waits_for_a_silent_device_by_the_protocols_that_it_spoke(
    in_namespace, protocols, slow
):
    code = f"""
import json
from pdsno_cli.discovery.pace import Pace
from pdsno_cli.discovery.sweep import sweep
from pdsno_cli.spec.topology import Snmp
known = {{f"10.101.1.{{n}}": ("arp", "icmp") for n in range(1, 21)}}
known["10.101.1.9"] = {protocols}
result = sweep(["10.101.1.1-10.101.1.20"], ["arp", "icmp"], Snmp(), pace=Pace(known=known, ceiling=4))
print(json.dumps([[p.targets, p.answers, p.error] for p in result.probes] + [result.seconds]))
"""
    hosts = {"first": "10.101.1.1", "count": 20, "silent": ["10.101.1.9"]}
    arp, icmp, seconds = in_namespace(code, near=NEAR, hosts=hosts)
    assert (arp, icmp) == ([20, 20, None], [20, 19, None])
    assert (seconds > 4) == slow


def test_sweep_of_four_times_the_addresses_behind_a_router_takes_no_more_memory(in_namespace):
    """Of Python's objects, not of the process, whose allocator keeps what was freed."""
    code = """
import json, tracemalloc
from pdsno_cli.discovery.pace import Pace
from pdsno_cli.discovery.sweep import preload, sweep
from pdsno_cli.spec.topology import Snmp
preload(["icmp", "snmp"])
tracemalloc.start()
def peak(*targets):
    tracemalloc.reset_peak()
    before, _ = tracemalloc.get_traced_memory()
    result = sweep(targets, ["icmp", "snmp"], Snmp(timeout=0.02, retries=0),
        pace=Pace(rate=30_000, ceiling=0.02))
    _, most = tracemalloc.get_traced_memory()
    return [most - before, [[p.targets, p.answers, p.error] for p in result.probes]]
first, _ = peak("10.102.0.0/19")
second, probes = peak("10.102.0.0/17")
print(json.dumps([first, second, probes]))
"""
    near = NEAR + "; ip route add 10.102.0.0/16 via 10.101.1.1"
    hosts = {"first": "10.101.1.1", "count": 1}
    quarter, whole, probes = in_namespace(code, near=near, hosts=hosts)
    assert probes == [[32_766, 0, None], [32_766, 0, None]]
    assert whole - quarter < 10 * 24_576  # bytes, of as many more addresses
