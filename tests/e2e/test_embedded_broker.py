"""An embedded broker that runs but accepts no client is killed and restarted."""

from __future__ import annotations

import os
import signal

from tests.e2e.conftest import until


def test_a_broker_that_hangs_is_started_again(site):
    site.write(broker="{embedded: true, keepalive: 1s}", lab=False, interval="1h")
    run = site.up().ready()
    broker = run.broker()
    os.kill(broker, signal.SIGSTOP)
    until(lambda: not site.status()["broker_state"]["up"], "the loss")
    assert site.ask("status", str(site.file)).returncode == 1
    assert "away for" in site.ask("status", str(site.file)).stdout.splitlines()[0]
    run.wait_line("killing the broker, which accepts no client", wait=60)
    until(lambda: site.status()["well"], "recovery", 60)
    assert run.broker() != broker
    assert ", up for " in site.ask("status", str(site.file)).stdout.splitlines()[0]
