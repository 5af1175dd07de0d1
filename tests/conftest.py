"""What every test may ask for: free ports, tools that must be there, private directories."""

from __future__ import annotations

import fcntl
import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# A loaded machine is slow at times, which says nothing about what is tested.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

ONE_OF_EACH = """\
name: one
regions: {r: {}}
controllers:
  gc: {role: global}
  rc: {role: regional, region: r}
  lc: {role: local, region: r, discovery: {targets: [127.66.0.1]}}
"""


def pytest_configure() -> None:
    # There, findings are annotations by default.
    os.environ.pop("GITHUB_ACTIONS", None)
    # Runs with a --state-dir are entered in an index there, and not in the user's own.
    os.environ["XDG_STATE_HOME"] = tempfile.mkdtemp(prefix="pdsno-test-state-")
    # Tests start thousands of processes, each of which would compile all that it imports.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    # What a shell starts in the background has SIGINT ignored, and so would what is started here.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    _NEIGHBOURS.raise_()


def pytest_unconfigure() -> None:
    shutil.rmtree(os.environ["XDG_STATE_HOME"], ignore_errors=True)
    _NEIGHBOURS.restore()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Have half of the workers begin with what takes long, which is mostly waiting.

    The others keep the processor busy meanwhile, and in the end nobody waits for one long test.
    """
    workers = getattr(config, "workerinput", {}).get("workercount", 1)
    items[:] = long_first(items, _takes_long, workers)


def _takes_long(item: pytest.Item) -> bool:
    return "faults" in item.path.parts or item.get_closest_marker("long") is not None


def long_first(items: list[Any], takes_long: Callable[[Any], bool], workers: int) -> list[Any]:
    """Return items in an order of which each worker gets an equal part, as pytest-xdist deals it.

    What takes long is at the beginning of every other part; the rest stays in its order.
    """
    rest = [item for item in items if not takes_long(item)]
    long = [item for item in items if takes_long(item)]
    begin = max(workers // 2, 1)
    ordered: list[Any] = []
    for worker in range(workers):
        size = (len(items) - len(ordered)) // (workers - worker)
        first = long[worker::begin] if worker < begin else []
        fill = max(size - len(first), 0)
        ordered += first + rest[:fill]
        del rest[:fill]
    return ordered


class _NeighbourLimit:
    """The kernel's limit of neighbours: one for all network namespaces, in which tests run together.

    Where a sweep of one test fills the table, hosts of another answer no ARP request. The limit is
    raised while the tests run, if root may do that.
    """

    _FILE = Path("/proc/sys/net/ipv4/neigh/default/gc_thresh3")
    _ENOUGH = 32_768

    def __init__(self) -> None:
        self._before = ""

    def raise_(self) -> None:
        if "PYTEST_XDIST_WORKER" not in os.environ:
            with suppress(OSError, ValueError):
                before = self._FILE.read_text()
                if int(before) < self._ENOUGH:
                    self._FILE.write_text(str(self._ENOUGH))
                    self._before = before

    def restore(self) -> None:
        if self._before:
            with suppress(OSError):
                self._FILE.write_text(self._before)


_NEIGHBOURS = _NeighbourLimit()


def _ports() -> Iterator[int]:
    """Yield ports that the system gives to nobody who asks for any, each worker its own.

    A free port of the system's is the next one's, too, until something listens on it.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    first = 20_000 + worker % 16 * 800  # below the ports that Linux gives away, 32,768 and up
    return itertools.cycle(range(first, first + 800))


_PORTS = _ports()


def free_port() -> int:
    """Return a TCP port on loopback that nobody listens on, nor any other test."""
    for port in _PORTS:
        with suppress(OSError), socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no end of ports")


def require(tool: str, *folders: str) -> str:
    """Return the path of a program; without it the test skips, or fails where CI demands it.

    It is looked for in ``folders``, too.
    """
    places = (os.environ.get("PATH", ""), "/usr/sbin", "/sbin", *folders)
    path = shutil.which(tool, path=":".join(places))
    if path is None:
        message = f"{tool} is not installed; on Debian, make test installs it as root"
        if os.environ.get("PDSNO_TEST_REQUIRE_TOOLS"):
            pytest.fail(message)
        pytest.skip(message)
    return path


def require_root() -> None:
    """Skip, or fail where CI demands it, when the test cannot make network namespaces."""
    if os.geteuid() != 0:
        if os.environ.get("PDSNO_TEST_REQUIRE_TOOLS"):
            pytest.fail("needs root")
        pytest.skip("needs root")


def in_namespace(code: str, *, without: str = "") -> Any:
    """Run code in a network namespace of its own and return the JSON that it prints.

    ``without`` names capabilities that it is not to have, as in ``-net_admin``.
    """
    require_root()
    drop = f"{require('setpriv')} --bounding-set={without} --inh-caps={without}" if without else ""
    script = f'{require("ip")} link set lo up && exec {drop} "$0" -W error -c "$1"'
    done = subprocess.run(
        [require("unshare"), "-n", "sh", "-c", script, sys.executable, code],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(name="free_port")
def a_free_port() -> int:
    """Return a TCP port on loopback that nobody listens on."""
    return free_port()


@pytest.fixture
def zone_a():
    """Return the file of zone-a, whose addresses and ports are fixed: one run of it at a time."""
    path = Path(__file__).parents[1] / "topologies" / "zone-a.yaml"
    with path.open() as lock:  # the file itself: a lock that leaves nothing behind
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield path


@pytest.fixture
def topic_root() -> str:
    """Return a topic root of this test's own."""
    return f"pdsno-test-{uuid.uuid4().hex[:8]}"
