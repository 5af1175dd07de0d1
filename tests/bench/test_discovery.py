"""How fast discovery is beside arp-scan, nmap, fping and onesixtyone, as whole processes in one run.

1,022 addresses of which 300 answer, on one veth link between two network namespaces. Each figure is
the median of five, ours and theirs in turn.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from pdsno_cli.model.targets import AddressSet
from tests.bench.arena import Arena, arena
from tests.conftest import require

ROUNDS = 5
NOISE = 1.03  # of a bound that only the start of a process decides
TARGETS = "10.110.4.0/22"
ALIVE = [f"10.110.{4 + n // 200}.{n % 200 + 1}" for n in range(300)]
HOSTS = {"first": "10.110.5.1", "count": 300}
ONCE = Path(__file__).with_name("discover_once.py")
CYCLES = Path(__file__).with_name("discover_cycles.py")

pytestmark = pytest.mark.bench


@dataclass(frozen=True)
class Side:
    """One side of a row: a command, and how to count what it found."""

    command: Sequence[str | Path]
    count: Callable[[str], int] = int


@dataclass(frozen=True)
class Figures:
    seconds: float
    found: int


@pytest.fixture(scope="module")
def link():
    with arena("10.110.0.1/21") as made:
        yield made


@pytest.fixture(scope="module")
def kernel_hosts(link: Arena):
    """The kernel at the far end answers ARP and ICMP for all addresses, an agent SNMP."""
    link.addresses(ALIVE, 21)
    link.agents()
    return link


def compare(link: Arena, *sides: Side) -> list[Figures]:
    """Return the medians of each side; they run in turn, with an empty neighbour table each."""
    taken: list[list[float]] = [[] for _ in sides]
    found: list[list[int]] = [[] for _ in sides]
    for _ in range(ROUNDS):
        for number, side in enumerate(sides):
            link.near_shell("ip neigh flush all")
            begun = time.perf_counter()
            done = subprocess.run(
                link.near(*side.command), capture_output=True, text=True, check=False
            )
            taken[number].append(time.perf_counter() - begun)
            found[number].append(side.count(done.stdout))
    return [
        Figures(statistics.median(seconds), int(statistics.median(numbers)))
        for seconds, numbers in zip(taken, found, strict=True)
    ]


def ours(protocol: str, targets: str = TARGETS, **settings: object) -> Side:
    return Side([sys.executable, ONCE, protocol, targets, json.dumps(settings)])


def show(what: str, us: Figures, them: Figures, tool: str, bound: float) -> None:
    ratio = us.seconds / them.seconds
    print(  # noqa: T201  # the figures are what a bench is for
        f"\n{what:44} pdsno {us.seconds:6.2f} s {us.found:4}   {tool} {them.seconds:6.2f} s "
        f"{them.found:4}   ratio {ratio:5.2f} (bound {bound:.2f})"
    )
    assert ratio <= bound * NOISE


def lines_with(text: str) -> Callable[[str], int]:
    return lambda output: sum(text in line for line in output.splitlines())


def test_arp_beside_arp_scan(kernel_hosts):
    settings = ["-q", "-x", "-g", "-r2", "-t500", "-b1", "-i200u"]
    theirs = Side([require("arp-scan"), "-I", "near0", *settings, TARGETS], lines_with("10.110."))
    fixed = {"rate": 5000, "tries": 2, "timeout": 0.5, "floor": None}
    us, them = compare(kernel_hosts, ours("arp", **fixed), theirs)
    assert us.found == 300
    show("ARP /22, 2 x 500 ms at 5,000 a second", us, them, "arp-scan", 1.0)


def test_arp_beside_nmap(kernel_hosts):
    settings = ["-sn", "-n", "-PR", "-T5", "--min-rate", "10000"]
    theirs = Side([require("nmap"), *settings, TARGETS], lines_with("Host is up"))
    us, them = compare(kernel_hosts, ours("arp", rate=10_000, patient=[]), theirs)
    assert us.found == 300
    show("ARP /22, adaptive at 10,000 a second", us, them, "nmap -T5", 1.0)


def test_icmp_beside_fping(kernel_hosts):
    settings = ["-q", "-a", "-r1", "-t500", "-i0.2", "-g"]
    theirs = Side([require("fping"), *settings, TARGETS], lines_with("10.110."))
    us, them = compare(kernel_hosts, ours("icmp", patient=[]), theirs)
    assert us.found == 300
    show("ICMP /22, adaptive at 5,000 a second", us, them, "fping", 1.0)


@pytest.fixture
def onesixtyone(tmp_path):
    hosts, communities = tmp_path / "hosts", tmp_path / "communities"
    hosts.write_text("\n".join(AddressSet.of([TARGETS])) + "\n")
    communities.write_text("public\n")
    command = [require("onesixtyone"), "-w", "1", "-c", communities, "-i", hosts]
    return Side(command, lambda output: output.count("[public]"))


SNMP = {"timeout": 0.5, "retries": 1, "rate": 5000}


def test_snmp_beside_onesixtyone(kernel_hosts, onesixtyone):
    us, them = compare(kernel_hosts, ours("snmp", **SNMP), onesixtyone)
    assert us.found == 300
    show("SNMP /22 after ARP, five OIDs against one", us, them, "onesixtyone", 0.10)


def test_snmp_behind_a_router_beside_onesixtyone(onesixtyone):
    with arena("10.110.0.1/29") as link:
        link.addresses(["10.110.0.2"], 29)
        link.addresses(ALIVE, 32)
        link.agents()
        link.near_shell(f"ip route add {TARGETS} via 10.110.0.2")
        us, them = compare(link, ours("snmp", **SNMP), onesixtyone)
    assert us.found == them.found == 300
    show("SNMP /22 behind a router, the same", us, them, "onesixtyone", 0.25)


# The walk of ifTable is measured where its code is.


def cycles(link: Arena, tmp_path: Path, targets: str, rounds: int, **settings: object):
    """Return what each cycle took, found, held in memory, and the figures of its probes."""
    command = [sys.executable, CYCLES, targets, str(rounds), tmp_path / "store.db",
               json.dumps(settings)]  # fmt: skip
    done = subprocess.run(link.near(*command), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_whole_cycle_of_a_warm_controller(link, tmp_path):
    link.hosts(**HOSTS)
    cold, *warm = cycles(link, tmp_path, TARGETS, 1 + ROUNDS)
    seconds = statistics.median(one[0] for one in warm)
    print(  # noqa: T201
        f"\n/22, ARP, ICMP, SNMP, merge, diff, commit: warm {seconds:.2f} s (bound 1.0), "
        f"cold {cold[0]:.2f} s; {warm[-1][3]}"
    )
    assert {one[1] for one in [cold, *warm]} == {300}
    assert seconds <= 1.0


@pytest.mark.parametrize(("loss", "bound"), [(0.02, 0.999), (0.1, 0.985)])
def test_found_through_a_lossy_slow_link(link, tmp_path, loss, bound):
    """Loss and delay are in each direction, made by the hosts: twice as much for a round trip."""
    share = []
    for seed in range(ROUNDS):
        link.hosts(**HOSTS, loss=loss, delay=0.05, jitter=0.02, seed=seed)
        folder = tmp_path / str(seed)
        folder.mkdir()
        ((_, found, _, _),) = cycles(link, folder, TARGETS, 1)
        share.append(found / 300)
    found = statistics.mean(share)
    print(  # noqa: T201
        f"\n/22, {loss:.0%} loss, 50 +- 20 ms: found {found:.2%} (bound {bound:.1%}), of {share}"
    )
    assert found >= bound


def test_slash_16_with_one_in_a_hundred_alive(tmp_path):
    addresses, rate, timeout = 65_534, 5000, 1.0
    with arena("10.120.0.1/15") as link:
        link.hosts(first="10.121.0.50", count=655, step=100)
        cold, warm = cycles(link, tmp_path, "10.121.0.0/16", 2, rate=rate, ceiling=timeout)
    bound = 1.15 * (addresses / rate + 2 * timeout)
    print(  # noqa: T201
        f"\n/16, 655 alive, at 5,000 a second: {warm[0]:.1f} s (bound {bound:.1f}), "
        f"cold {cold[0]:.1f} s; {warm[2]:.0f} MB (bound 150); {warm[3]}"
    )
    assert warm[1] == cold[1] == 655
    assert warm[0] <= bound
    assert warm[2] < 150
