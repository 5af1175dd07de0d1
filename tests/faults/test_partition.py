"""The way between senders and broker loses all packets in one direction, with HTTP and without."""

from __future__ import annotations

import subprocess
import time

import pytest

from tests.conftest import require
from tests.e2e.conftest import until
from tests.e2e.test_namespace import make_namespace, unable
from tests.faults.arena import FULL, SEED
from tests.faults.results import record

pytestmark = pytest.mark.timeout(3600 if FULL else 120)
__all__ = ["make_namespace"]  # a fixture
BROKER, REGIONAL = "10.98.7", "10.98.8"  # a link each, which can be cut alone
HTTP_PORT = 8080


class Site:
    """The senders at one end of two links, broker and regional controller at the other."""

    def __init__(self, make) -> None:
        self.near, self.far = make(), make()
        self._tc = require("tc")
        for name, net in (("mqtt0", BROKER), ("http0", REGIONAL)):
            self.near.ip("link", "add", name, "type", "veth", "peer", "name", name,
                         "netns", self.far.name)  # fmt: skip
            for end, tail in ((self.near, 1), (self.far, 2)):
                end.ip("address", "add", f"{net}.{tail}/30", "dev", name)
                end.ip("link", "set", name, "up")
        for end in (self.near, self.far):
            until(lambda end=end: end.is_up("mqtt0") and end.is_up("http0"), "the carrier")

    def cut(self, direction: str, *links: str) -> None:
        """Drop every packet that leaves the end which ``direction`` comes from."""
        self._shape(direction, "replace", links, "blackhole")

    def heal(self, direction: str, *links: str) -> None:
        self._shape(direction, "delete", links)

    def _shape(self, direction, verb, links, *kind) -> None:
        end = self.near if direction == "to the broker" else self.far
        for link in links:
            done = subprocess.run(
                [self._tc, "-n", end.name, "qdisc", verb, "dev", link, "root", *kind],
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            if "kind is unknown" in done.stderr:
                unable("this kernel has no queue that drops everything")
            assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("http", ["http-left", "http-cut"])
@pytest.mark.parametrize("direction", ["to the broker", "from the broker"])
def test_partition_of_one_direction_loses_and_repeats_nothing(
    make_namespace, arena, direction, http
):
    times, seconds, rate = (5, 20, 300) if FULL else (1, 4, 200)
    reports = int(times * (seconds + 40) * rate) if FULL else 1400
    site = Site(make_namespace)
    drill = arena("mosquitto", host=f"{BROKER}.2", prefix=site.far.prefix,
                  regional=f", address: '{REGIONAL}.2:{HTTP_PORT}'")  # fmt: skip
    drill.start_broker()
    drill.start_regional(prefix=site.far.prefix)
    field = drill.start_field(reports, rate, prefix=site.near.prefix)
    until(lambda: drill.progress() >= rate, "the first reports")
    links = ("mqtt0",) if http == "http-left" else ("mqtt0", "http0")
    count = len(drill.names)
    again = []
    healed = None
    for _ in range(times):
        if healed is not None and http == "http-left":  # nobody falls back who has not come back
            until(lambda s=healed: len(drill.logged("field", "mqtt is active now", s)) >= count,
                  "the return", 90)  # fmt: skip
        since = time.time()
        site.cut(direction, *links)
        if http == "http-left":
            until(
                lambda s=since: len(drill.logged("field", "http is active now", s)) >= count, "HTTP"
            )
            drill.reported()
        time.sleep(max(since + seconds - time.time(), 0))  # the length of the fault itself
        before, healed = time.monotonic(), time.time()
        site.heal(direction, *links)
        drill.reported()
        again.append(time.monotonic() - before)
    drill.sent(field, 600)
    drained = drill.drained(60)
    verdict = drill.judge()
    record("partition", direction=direction, http=http == "http-left", broker="mosquitto",
           seed=SEED, times=times, seconds=seconds, accepted=verdict.accepted, lost=verdict.lost,
           twice=verdict.twice, wrong=verdict.wrong, again=round(max(again), 1),
           drained=round(drained, 1))  # fmt: skip
    assert verdict.clean
    assert verdict.accepted == reports
    drill.audit()
