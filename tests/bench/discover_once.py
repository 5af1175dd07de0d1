"""A program for benches: one sweep of one protocol; prints how many hosts it found.

``discover_once.py arp TARGETS '{"rate": 5000}'``, with the keywords of the probe's ``sweep``.
"""

from __future__ import annotations

import json
import sys
import threading


def main(protocol: str, targets: str, settings: str = "{}") -> None:
    from pdsno_cli.model.targets import AddressSet

    wanted, cancel, keywords = AddressSet.of([targets]), threading.Event(), json.loads(settings)
    if protocol == "arp":
        from pdsno_cli.discovery import arp, onlink

        found = len(arp.sweep(onlink.on_link(wanted), cancel, **keywords))
    elif protocol == "icmp":
        from pdsno_cli.discovery import icmp

        found = len(icmp.sweep(wanted, cancel, **keywords))
    else:  # on a link it follows ARP
        from pdsno_cli.discovery import arp, onlink
        from pdsno_cli.discovery.snmp import probe
        from pdsno_cli.spec.topology import Snmp

        links = onlink.on_link(wanted)
        there = AddressSet.of(arp.sweep(links, cancel, patient=())) if links else wanted
        rate = keywords.pop("rate")
        found = len(probe.sweep(there, Snmp(**keywords), cancel, rate=rate))
    print(found)  # noqa: T201  # read by the bench


if __name__ == "__main__":
    main(*sys.argv[1:])
