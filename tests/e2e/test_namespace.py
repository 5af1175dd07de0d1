"""Discovery in network namespaces of each test's own: a lab that changes, and ARP on a real link."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import uuid
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.conftest import require, require_root

from .conftest import until

CYCLE = r"{}: cycle (\d+) (\w+) .*: (\d+) devices, (\d+) new, (\d+) updated, (\d+) inactive$"


class Namespace:
    """One network namespace: loopback up, nothing else in it, ICMP through raw sockets only."""

    def __init__(self) -> None:
        self.name = f"pdsno-{uuid.uuid4().hex[:8]}"
        self._ip = require("ip")
        self.prefix = (self._ip, "netns", "exec", self.name)
        made = subprocess.run(
            [self._ip, "netns", "add", self.name], capture_output=True, text=True, check=False
        )
        if made.returncode != 0:
            unable(f"no network namespace can be made here: {made.stderr.strip()}")
        self.ip("link", "set", "lo", "up")

    def ip(self, *words: str) -> str:
        """Run iproute2 inside; return what it prints."""
        done = subprocess.run(
            [self._ip, "-n", self.name, *words], capture_output=True, text=True, check=False
        )
        if "Unknown device type" in done.stderr:
            unable(f"this kernel cannot: ip {' '.join(words)}")
        assert done.returncode == 0, f"ip {' '.join(words)}: {done.stderr}"
        return done.stdout

    def setting(self, path: str, value: str) -> None:
        """Set a sysctl of this namespace."""
        subprocess.run(
            [*self.prefix, "sh", "-c", f'echo "$1" > /proc/sys/{path}', "sh", value], check=True
        )

    def is_up(self, link: str) -> bool:
        return "LOWER_UP" in self.ip("-o", "link", "show", "dev", link)

    def end(self) -> None:
        """Take the namespace away, and with it every link and route in it."""
        subprocess.run([self._ip, "netns", "delete", self.name], check=True, capture_output=True)


def unable(message: str) -> None:
    if os.environ.get("PDSNO_TEST_REQUIRE_TOOLS"):
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture
def make_namespace():
    require_root()
    made: list[Namespace] = []

    def make() -> Namespace:
        made.append(Namespace())
        return made[-1]

    yield make
    for item in reversed(made):
        item.end()


# Namespaces are asked for before the site, and so end after its processes.
@pytest.fixture
def namespace(make_namespace):
    return make_namespace()


def cycles(run, local_id: str, *, after: int = 0) -> list[tuple[int, ...]]:
    """Return (cycle, devices, new, updated, inactive) of each cycle line."""
    found = (re.match(CYCLE.format(local_id), line) for line in list(run.lines[after:]))
    return [tuple(int(match[i]) for i in (1, 3, 4, 5, 6)) for match in found if match]


@contextmanager
def between_cycles(run, site, local_id: str):
    """Hold a local controller still between two cycles, so that no sweep sees half a change."""
    pid = site.row(local_id)["pid"]
    run.wait_line(f"{local_id}: cycle", after=len(run.lines))
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def lab(site, *words: str) -> None:
    done = site.ask("lab", words[0], str(site.file), *words[1:])
    assert done.returncode == 0, done.stderr


def by_address(devices: list[dict]) -> dict[str, dict]:
    return {device["addresses"][0]: device for device in devices}


@pytest.mark.long
@pytest.mark.parametrize("speaks_snmp", [False, True], ids=["without-snmp", "with-snmp"])
def test_lab_remove_and_add_are_reported_as_exactly_that_device(namespace, site, speaks_snmp):
    # A sweep with a silent target takes 1.4 s; the interval leaves room before the next one.
    site.write(interval="2s", heartbeat="5s")
    run = site.up(prefix=namespace.prefix).ready()
    run.wait_line(r"lc1: cycle 2 .* 0 new, 0 updated, 0 inactive")
    before = by_address(until(lambda: len(d := site.devices()) == 6 and d, "six devices"))
    subject = next(
        address
        for address, device in before.items()
        if device["local_id"] == "lc1" and ("snmp" in device["protocols"]) is speaks_snmp
    )

    seen = len(run.lines)
    lab(site, "remove", subject)
    run.wait_line(r"lc1: cycle .* [1-9]\d* inactive$", after=seen)
    assert cycles(run, "lc1", after=seen)[-1][1:] == (2, 0, 0, 1)
    until(lambda: subject not in by_address(site.devices()), "its absence at the top")
    everything = by_address(site.devices("--all"))
    assert everything[subject]["state"] == "inactive"
    assert untouched(before, everything, subject)

    with between_cycles(run, site, "lc1"):
        seen = len(run.lines)
        lab(site, "add", subject)
    run.wait_line(r"lc1: cycle .* [1-9]\d* new,", after=seen)
    assert cycles(run, "lc1", after=seen)[-1][1:] == (3, 1, 0, 0)
    until(lambda: subject in by_address(site.devices()), "its return at the top")
    after = by_address(site.devices())
    assert untouched(before, after, subject)
    same = ("device_id", "mac", "protocols", "sys_name", "first_seen")
    assert [after[subject][key] for key in same] == [before[subject][key] for key in same]

    # In the whole run, no cycle of any local reported anything else.
    assert [c[2:] for c in cycles(run, "lc1")[1:] if any(c[2:])] == [(0, 0, 1), (1, 0, 0)]
    assert not [c for c in cycles(run, "lc2")[1:] if any(c[2:])]
    run.interrupt()
    assert run.end() == 0, run.lines
    assert run.members() == []


def untouched(before: dict[str, dict], after: dict[str, dict], subject: str) -> bool:
    """Whether every device but one is what it was, to its version in the store."""
    steady = ("device_id", "version", "state", "mac", "sys_name", "protocols", "first_seen")
    return all(
        [device[key] for key in steady] == [after[address][key] for key in steady]
        for address, device in before.items()
        if address != subject
    )


def test_lab_is_whole_again_after_a_run_in_which_a_device_was_removed(namespace, site):
    site.write()
    run = site.up(prefix=namespace.prefix).ready()
    lab(site, "remove", f"{site.net}.2")
    assert f"{site.net}.2" in namespace.ip("route", "show", "table", "local", "type", "prohibit")
    run.interrupt()
    assert run.end() == 0, run.lines
    assert namespace.ip("route", "show", "table", "local", "type", "prohibit") == ""
    again = site.up("--cycles", "1", prefix=namespace.prefix)
    assert again.end() == 0, again.lines
    assert f"{site.net}.2" in by_address(site.devices())


class Lan:
    """Hosts on one Ethernet segment, each in a namespace and with a MAC of its own.

    ``near`` is where pdsno runs, at .1. Across a veth pair: .2 at its far end; on macvlan links
    of that, .3 and .5 on one host, and .4 on one that answers ARP but no ping.
    """

    def __init__(self, make) -> None:
        self.near, router, server, mute = make(), make(), make(), make()
        add = ("link", "add", "lan0", "type", "veth", "peer", "name", "lan0", "netns", router.name)
        self.near.ip(*add)
        self._give(self.near, ".1")
        self._give(router, ".2")
        for host, number in ((server, 3), (mute, 4)):
            mac = f"02:00:5e:00:53:{number:02x}"
            router.ip("link", "add", "link", "lan0", "name", "mv0", "address", mac,
                      "type", "macvlan", "mode", "bridge")  # fmt: skip
            router.ip("link", "set", "mv0", "netns", host.name, "name", "lan0")
            self._give(host, f".{number}")
        server.ip("address", "add", "10.98.7.5/28", "dev", "lan0")
        mute.setting("net/ipv4/icmp_echo_ignore_all", "1")
        self.router_mac = router.ip("-br", "link", "show", "dev", "lan0").split()[2]
        for host in (self.near, router, server, mute):
            until(lambda host=host: host.is_up("lan0"), "the carrier")

    def _give(self, host: Namespace, tail: str) -> None:
        host.ip("address", "add", f"10.98.7{tail}/28", "dev", "lan0")
        host.ip("link", "set", "lan0", "up")


@pytest.fixture
def lan(make_namespace):
    return Lan(make_namespace)


def test_arp_on_a_real_link_finds_macs_and_merges_addresses_by_them(lan, site):
    site.file.write_text(f"""\
name: {site.root}
topics: {{root: {site.root}}}
fallbacks: [mqtt]
regions: {{r1: {{}}}}
controllers:
  g1: {{role: global}}
  rc1: {{role: regional, region: r1}}
  lc1:
    role: local
    region: r1
    discovery: {{interval: 2s, protocols: [arp, icmp], targets: [10.98.7.0/28]}}
""")
    run = site.up("--cycles", "2", prefix=lan.near.prefix)
    assert run.end() == 0, run.lines
    assert any("embedded broker on 127.0.0.1" in line for line in run.lines)
    assert run.members() == []
    found = {(tuple(d["addresses"]), d["mac"], tuple(d["protocols"])) for d in site.devices()}
    assert found == {
        (("10.98.7.1",), None, ("icmp",)),  # this machine itself does not answer ARP
        (("10.98.7.2",), lan.router_mac, ("arp", "icmp")),
        (("10.98.7.3", "10.98.7.5"), "02:00:5e:00:53:03", ("arp", "icmp")),
        (("10.98.7.4",), "02:00:5e:00:53:04", ("arp",)),
    }
    told = cycles(run, "lc1")
    assert told[0][1:] == (4, 4, 0, 0)
    assert told[1][1:] == (4, 0, 0, 0)
    assert re.search(r"lc1\s+arp\s+13\s+4\b", run.out), run.out
    assert re.search(r"icmp\s+5\s+4\b", run.out), run.out  # of those that answered ARP


LAN_300 = Path(__file__).parents[2] / "topologies" / "lan-300.yaml"


@pytest.mark.long
def test_lan_300_is_found_whole_and_leaves_nothing_behind(namespace, site):
    site.file.write_text(
        LAN_300.read_text()
        .replace("name: lan-300", f"name: {site.root}\ntopics: {{root: {site.root}}}")
        .replace("interval: 30s", "interval: 2s")
    )
    run = site.up(prefix=namespace.prefix).ready()
    devices = until(lambda: len(d := site.devices()) == 300 and d, "300 devices at the top")
    assert len({device["mac"] for device in devices}) == 300
    counts = {
        name: sum(name in d["protocols"] for d in devices) for name in ("arp", "icmp", "snmp")
    }
    assert counts == {"arp": 300, "icmp": 270, "snmp": 120}
    subject = next(d for d in devices if "snmp" in d["protocols"])["addresses"][0]
    lab(site, "rename", subject, "renamed")
    until(lambda: by_address(site.devices())[subject]["sys_name"] == "renamed", "the new name")
    lab(site, "remove", subject)
    until(lambda: subject not in by_address(site.devices()), "its absence at the top")
    run.interrupt()
    assert run.end() == 0, run.lines
    assert "pdsno-" not in namespace.ip("-o", "link")
    assert namespace.ip("route", "show") == ""


def test_lan_300_is_gone_after_a_kill_of_everything(namespace, site):
    site.file.write_text(
        LAN_300.read_text().replace(
            "name: lan-300", f"name: {site.root}\ntopics: {{root: {site.root}}}"
        )
    )
    run = site.up(prefix=namespace.prefix).ready()
    assert "pdsno-" in namespace.ip("-o", "link")
    for pid in run.members():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    until(lambda: "pdsno-" not in namespace.ip("-o", "link"), "the end of the link")
    assert namespace.ip("route", "show") == ""
    again = site.up("--cycles", "1", prefix=namespace.prefix)
    assert again.end() == 0, again.lines
    assert len(site.devices()) == 300


def test_lan_300_without_privileges_is_one_line(namespace, site):
    site.file.write_text(
        LAN_300.read_text().replace(
            "name: lan-300", f"name: {site.root}\ntopics: {{root: {site.root}}}"
        )
    )
    drop = (require("setpriv"), "--bounding-set=-sys_admin", "--inh-caps=-sys_admin")
    run = site.up(prefix=(*namespace.prefix, *drop))
    assert run.end() == 1
    said = [line for line in run.lines if "network" in line]
    assert len(said) == 1, run.lines
    assert "cannot make the lab's network: needs root" in said[0]
