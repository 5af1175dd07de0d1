"""The physical map that discovery finds in a lab is the one that the lab is made of."""

from __future__ import annotations

import json
import os

from tests.commands import pdsno

from .conftest import until

TOPOLOGY = """\
name: truth
topics: {{root: pdsno-truth-{pid}}}
regions: {{r1: {{}}, r2: {{}}}}
defaults:
  discovery:
    interval: 2s
    protocols: [icmp, snmp]
    snmp: {{community: public, port: 16165, details: {{forwarding: true}}}}
controllers:
  gc: {{role: global}}
  rc1: {{role: regional, region: r1}}
  rc2: {{role: regional, region: r2}}
  lc1: {{role: local, region: r1, discovery: {{targets: 127.111.1.1-127.111.1.30}}}}
  lc2: {{role: local, region: r2, discovery: {{targets: 127.111.2.1-127.111.2.30}}}}
lab: {{devices: 60, snmp: 30}}
"""


def test_the_map_has_every_cable_of_the_lab_and_no_other(tmp_path):
    file = tmp_path / "topology.yaml"
    file.write_text(TOPOLOGY.format(pid=os.getpid()))

    def run(*words):
        done = pdsno(*words, "--state-dir", tmp_path / "state", timeout=90)
        assert done.returncode == 0, done.stderr
        return done.stdout

    truth = {}
    for item in json.loads(run("lab", "show", str(file), "--json"))["devices"]:
        # On loopback there is no ARP: nothing ties the MAC of a device without SNMP to its address.
        if (up := item["uplink"]) is not None and "snmp" in item["protocols"]:
            truth[frozenset((item["address"], up["address"]))] = {up["port"], up["own_port"]}

    def found():
        graph = json.loads(run("graph", str(file), "--format", "json"))
        addresses = [item["addresses"][0] for item in graph["devices"]]
        return {
            frozenset((addresses[link["from"]], addresses[link["to"]])): link
            for link in graph["links"]
        }

    run("up", str(file), "-d")
    try:
        until(lambda: found().keys() == truth.keys(), "the whole map", wait=60)
        # A port that only a forwarding table tells of is known at the switch's end alone.
        for pair, link in found().items():
            ports = {link["from_port"], link["to_port"]}
            assert ports - {""} <= truth[pair], (pair, link)
            assert len(ports & truth[pair]) >= 1
    finally:
        run("down", str(file))
