"""The disk of the senders, and that of their receiver, is full for a while: a small tmpfs of its own."""

from __future__ import annotations

import contextlib
import subprocess
import threading
import time

import pytest

from pdsno_cli.runtime.child import EXIT_LATER
from tests.conftest import require, require_root
from tests.e2e.conftest import until
from tests.faults.arena import BROKERS, FULL, SEED
from tests.faults.field import Truth
from tests.faults.results import record

pytestmark = pytest.mark.timeout(3600 if FULL else 120)
AGAIN = 10.0  # seconds after which all works again once there is space


class Disk:
    """A file system of 20 MB that can be filled up."""

    def __init__(self, folder) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self) -> None:
        with self._ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while file.write(b"\0" * 4096):
                pass

    def free(self) -> None:
        self._ballast.unlink()


@pytest.fixture
def disk(tmp_path):
    require_root()
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = [require("mount"), "-t", "tmpfs", "-o", "size=20m", "pdsno-test", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"no tmpfs can be mounted here: {done.stderr.strip()}")
    yield Disk(folder)
    subprocess.run([require("umount"), "--lazy", str(folder)], check=True)


class Keeper:
    """Starts a process again whenever it ends by itself, as a service manager does."""

    def __init__(self, start) -> None:
        self.codes: list[int] = []
        self._start = start
        self._over = threading.Event()
        self.process = start()
        self._thread = threading.Thread(target=self._keep, daemon=True)
        self._thread.start()

    def _keep(self) -> None:
        while True:
            code = self.process.wait()
            if self._over.wait(0.3):
                return
            self.codes.append(code)
            self.process = self._start()

    def end(self) -> None:
        self._over.set()
        self.process.kill()
        self._thread.join(5)


@pytest.mark.parametrize("kind", BROKERS)
@pytest.mark.parametrize("where", ["sender", "receiver"])
def test_disk_full_is_refused_visibly_and_nothing_accepted_is_lost(disk, arena, kind, where):
    seconds, rate = (300, 500) if FULL else (5, 300)
    reports = seconds * rate
    drill = arena(kind)
    drill.start_broker()
    small = disk.folder / "state"
    small.mkdir(mode=0o700)
    sending, receiving = (small, drill.state) if where == "sender" else (drill.state, small)

    def offered() -> int:
        return sum(Truth(drill.truth / name).last for name in drill.names)

    with contextlib.ExitStack() as stack:

        def keep(start) -> Keeper:
            kept = Keeper(start)
            stack.callback(kept.end)
            return kept

        regional = keep(lambda: drill.start_regional(state=receiving))
        field = keep(lambda: drill.start_field(reports, rate, state=sending))
        victim = field if where == "sender" else regional
        until(lambda: drill.progress(receiving) >= rate / 3, "the first reports")
        disk.fill()
        until(lambda: victim.codes, f"an end at the full disk ({drill.log('rc')})")
        time.sleep(30 if FULL else 1)  # the length of the fault itself
        accepted = drill.accepted()
        disk.free()
        again = drill.reported(receiving)
        until(lambda: offered() >= reports, "sending all", 600)
        drained = drill.drained(60, sending)
        verdict = drill.judge(state=receiving)
        codes = set(victim.codes)
    record("disk full", where=where, broker=kind, seed=SEED, ends=len(victim.codes),
           accepted=verdict.accepted, accepted_when_full=accepted, lost=verdict.lost,
           twice=verdict.twice, wrong=verdict.wrong, again=round(again, 1),
           drained=round(drained, 1))  # fmt: skip
    assert verdict.clean
    assert again <= AGAIN
    assert (
        "is full" in (drill.folder / ("field.log" if where == "sender" else "rc.log")).read_text()
    )
    assert codes == ({EXIT_LATER} if where == "sender" else {1})
