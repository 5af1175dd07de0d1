"""A program for benches: whole cycles of a local controller, from the first packet to the commit.

``discover_cycles.py TARGETS ROUNDS STORE '{"rate": 10000}'`` prints a line of JSON for each cycle:
its seconds, the devices that it found, the peak of memory in MB, and each probe's figures.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

from pdsno_cli.discovery.changes import decide
from pdsno_cli.discovery.pace import Pace
from pdsno_cli.discovery.sweep import preload, sweep
from pdsno_cli.model.targets import AddressSet
from pdsno_cli.nib.store import Store
from pdsno_cli.spec.topology import Snmp

PROTOCOLS = ("arp", "icmp", "snmp")


def main(targets: str, rounds: str, path: str, settings: str = "{}") -> None:
    options = json.loads(settings)
    protocols = options.pop("protocols", PROTOCOLS)
    thorough = options.pop("thorough", False)
    snmp = Snmp(**options.pop("snmp", {}))
    preload(protocols)
    store = Store.open(Path(path))
    wanted = AddressSet.of([targets])
    for _ in range(int(rounds)):
        started = time.perf_counter()
        known = store.known()
        there = (item.device for item in known.values() if item.active)
        protocols_of = {a: item.protocols for item in there for a in item.addresses}
        pace = Pace(known=None if thorough or not known else protocols_of, **options)
        result = sweep(wanted, protocols, snmp, pace=pace)
        changes = decide(known, result.observations, probes=result.probes, missed_cycles=3)
        with store.transaction() as tx:
            tx.put_known(
                "lc", "r", changes.known.values(), seen=frozenset(changes.seen), at=time.time()
            )
        seconds = time.perf_counter() - started
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        probes = {p.protocol: [p.answers, p.targets, p.seconds, p.error] for p in result.probes}
        line = [seconds, sum(len(o.addresses) for o in result.observations), memory, probes]
        print(json.dumps(line), flush=True)  # noqa: T201  # read by the bench


if __name__ == "__main__":
    main(*sys.argv[1:])
