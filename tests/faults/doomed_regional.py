"""A regional controller that kills itself at chosen places, and is forked anew each time.

Run as a program: ``doomed_regional.py FILE STATE PORT ID SEED DEATHS``. The places are before and
after each thing that must not be undone: a message received, applied, committed, acknowledged to
the broker, acknowledged to its sender.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
from pathlib import Path

import msgspec

from pdsno_cli.delivery.ack_scheduler import AckScheduler
from pdsno_cli.delivery.live_topology import LiveTopology
from pdsno_cli.delivery.receiver import Receiver
from pdsno_cli.lint.engine import require
from pdsno_cli.nib.transaction import Transaction
from pdsno_cli.runtime.broker_access import broker_access
from pdsno_cli.runtime.child import stop_on_signal
from pdsno_cli.runtime.failover_wiring import failover_transport
from pdsno_cli.runtime.keys import signing_key
from pdsno_cli.runtime.logs import log_to_stderr
from pdsno_cli.runtime.node import Node
from pdsno_cli.runtime.own_address import own_addresses
from pdsno_cli.runtime.state_dir import StateDir

PLACES = ("received", "applied", "committed", "released", "acknowledged")


class Quiet:
    def __init__(self):
        self.ready = False

    def notice(self, notice) -> None: ...


class Doom:
    """Has this process die when it passes a place for the so-manieth time."""

    def __init__(self, place: str, passes: int) -> None:
        self._left = passes
        self._lock = threading.Lock()
        getattr(self, f"_when_{place}")()

    def _passed(self) -> None:
        with self._lock:
            self._left -= 1
            if self._left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def _when_received(self) -> None:
        original = Receiver.put

        def put(receiver, arrival):
            original(receiver, arrival)
            self._passed()

        Receiver.put = put

    def _when_applied(self) -> None:
        original = Transaction.write

        def write(tx):
            original(tx)
            self._passed()

        Transaction.write = write

    def _when_committed(self) -> None:
        original = Transaction.finished

        def finished(tx, committed):
            if committed:
                self._passed()
            original(tx, committed)

        Transaction.finished = finished

    def _when_released(self) -> None:
        original = Receiver.put

        def put(receiver, arrival):
            def release():
                arrival.release()
                self._passed()

            original(receiver, msgspec.structs.replace(arrival, release=release))

        Receiver.put = put

    def _when_acknowledged(self) -> None:
        original = AckScheduler._acknowledge

        def acknowledge(acks, key, to):
            original(acks, key, to)
            self._passed()

        AckScheduler._acknowledge = acknowledge


def run(file: str, state: StateDir, port: int, name: str) -> None:
    topology = require(file)
    key = signing_key(topology, state)
    access = broker_access(topology, embedded_port=port)
    node = Node(
        topology=topology, controller_id=name, key=key, store=state.store(name), watcher=Quiet(),
        connect=lambda own, epoch: failover_transport(
            own, epoch, live=LiveTopology(topology), state=state, key=key, access=access,
            source=own_addresses(topology, state).get(own),
        ),
    )  # fmt: skip
    stop_on_signal(node.stop)
    node.run()


def main() -> None:
    log_to_stderr()
    file, folder, port, name, seed, deaths = sys.argv[1:]
    state = StateDir(Path(folder))
    rng = random.Random(int(seed))
    for _ in range(int(deaths)):
        place, passes = rng.choice(PLACES), rng.randint(1, 40)
        pid = os.fork()
        if pid == 0:
            Doom(place, passes)
            run(file, state, int(port), name)
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
            sys.stdout.write(f"{place}\n")
            sys.stdout.flush()
        elif os.waitstatus_to_exitcode(status) == 0:
            break  # told to stop
    run(file, state, int(port), name)


if __name__ == "__main__":
    main()
