"""A process killed at any moment loses nothing that it committed, and half-commits nothing."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
import uuid

import pytest

from pdsno_cli.model.messages import LocalCycle
from pdsno_cli.nib.offsets import Verdict
from pdsno_cli.nib.places import find
from pdsno_cli.nib.store import Store

WRITER = """
import sys
from pdsno_cli.model.devices import Device
from pdsno_cli.model.messages import LocalCycle
from pdsno_cli.nib.offsets import Offset
from pdsno_cli.nib.places import find
from pdsno_cli.nib.store import Store
with Store.open(find(*sys.argv[1:])) as store:
    epoch = store.begin_epoch()
    print("epoch", epoch, flush=True)
    for seq in range(1, 1_000_000):
        devices = [
            Device(device_id=f"ip:{seq}-{n}", addresses=("10.0.0.1",), protocols=("icmp",))
            for n in range(4)
        ]
        with store.transaction() as tx:
            tx.advance(sender="lc_1", stream="s", to=Offset(epoch, seq))
            tx.apply_changes(local_id="lc_1", region="A", new=devices, updated=(), inactive=(),
                             snapshot=False, at=1.0)
            tx.put_cycle(LocalCycle(local_id="lc_1", epoch=epoch, cycle=seq, active=seq * 4),
                         region="A", at=1.0)
        print("committed", seq, flush=True)
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def named(request, path):
    """Return what names a place on a command line."""
    if request.param == "sqlite":
        return [str(path)]
    return [request.getfixturevalue("database"), uuid.uuid4().hex]


def test_kill_9_loses_nothing_that_was_committed(named):
    held, last_epoch = 0, 0
    for _ in range(6):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, *named], stdout=subprocess.PIPE, text=True
        ) as writer:
            epoch = int(writer.stdout.readline().split()[1])
            for _ in range(3):
                writer.stdout.readline()
            time.sleep(random.uniform(0, 0.03))
            writer.send_signal(signal.SIGKILL)
            said = 3 + sum(line.endswith("\n") for line in writer.stdout)
        assert epoch > last_epoch
        last_epoch = epoch
        with Store.open(find(*named)) as store:
            (cycle,) = store.cycles()
            assert cycle == LocalCycle(
                local_id="lc_1", epoch=epoch, cycle=cycle.cycle, active=cycle.cycle * 4
            )
            # At most the commit whose line could not be written any more is there besides.
            assert said <= cycle.cycle <= said + 1
            held = max(held, cycle.cycle)
            assert store.count_active() == held * 4
            with store.transaction() as tx:
                seen = tx.judge(sender="lc_1", stream="s", epoch=epoch, seq=cycle.cycle)
            assert seen is Verdict.DUPLICATE
