"""Asks one address with each protocol in force, from this machine, and says what came back."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from pdsno_cli.client.doctor.finding import Finding
from pdsno_cli.discovery import onlink
from pdsno_cli.discovery.sweep import sweep
from pdsno_cli.model.address_numbers import is_ipv6
from pdsno_cli.model.probes import FACTS, sort_protocols
from pdsno_cli.spec.credentials import resolve_snmp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pdsno_cli.client.trace.coverage import Covering
    from pdsno_cli.discovery.sweep import SweepResult
    from pdsno_cli.spec.topology import Snmp, Topology


def trace_probes(topology: Topology, address: str, covering: Covering) -> Iterator[Finding]:
    """Yield what each protocol finds at an address; sends a request of each, and its retries."""
    if address in onlink.never():
        yield Finding(
            check="probes",
            verdict="fail",
            text=f"{address} is never asked: it is "
            + (
                "that of a link's routers"
                if is_ipv6(address)
                else "the network or broadcast address of a link"
            ),
        )
        return
    snmp = resolve_snmp(
        topology.controllers[covering.controller_id].discovery.snmp, base=topology.folder
    )
    answered = False
    for protocol in sort_protocols(covering.rules.protocols):
        result = sweep([address], [protocol], snmp)
        answered = answered or bool(result.observations)
        yield _probe(address, protocol, result, snmp)
        for source, count in result.stray.get(address, {}).items():
            yield Finding(
                check=protocol,
                verdict="warn",
                text=f"{count} replies came from {source}: they are not taken for {address}",
                hint=f"have the agent answer from the address that was asked, or discover {source}",
            )
        if protocol == "snmp" and result.observations:
            yield from _identity(address, snmp)
    if not answered:
        yield Finding(
            check="probes",
            verdict="fail",
            text="nothing answers from here",
            hint="is it up, and does a firewall drop the requests? pdsno doctor shows what this "
            "machine may send",
        )


def _probe(address: str, protocol: str, result: SweepResult, snmp: Snmp) -> Finding:
    (probe,) = result.probes
    asked = FACTS[protocol].asks.partition(", then ")[0].partition("; ")[0]
    took = f"in {probe.seconds * 1000:.0f} ms"
    if probe.error is not None:
        return Finding(check=protocol, verdict="warn", text=probe.error)
    if not probe.targets and is_ipv6(address):
        return Finding(check=protocol, verdict="skip", text="of IPv4 only; echo finds the MAC")
    if not probe.targets:
        return Finding(
            check=protocol, verdict="skip", text=f"{address} is not on a link of this machine"
        )
    if result.observations:
        return Finding(check=protocol, verdict="ok", text=_answer(protocol, result, took))
    if protocol != "snmp":
        return Finding(check=protocol, verdict="warn", text=f"{asked}: no answer {took}")
    if address in result.closed:
        return Finding(
            check=protocol,
            verdict="warn",
            text=f"port {snmp.port} is refused: no agent listens there, or a firewall rejects it",
            hint="start the agent, set discovery.snmp.port to its port, or open the firewall",
        )
    names = ", ".join(snmp.label(number) or "1" for number in range(len(snmp.tried)))
    return Finding(
        check=protocol,
        verdict="warn",
        text=f"{asked} on port {snmp.port}: no answer {took} to credential {names}",
        hint="an agent is silent about a wrong community: compare it, the port, and the agent's list "
        "of managers",
    )


def _answer(protocol: str, result: SweepResult, took: str) -> str:
    (seen,) = result.observations
    if protocol == "snmp":
        credential = (seen.extra or {}).get("credential", "1")
        return f"{seen.sys_name or 'an agent without a name'} answered {took}, to credential {credential}"
    return f"{seen.mac} answered {took}" if seen.mac is not None else f"answered {took}"


def _identity(address: str, snmp: Snmp) -> Iterator[Finding]:
    """Yield what the device is, each fact with its evidence."""
    from pdsno_cli.discovery.snmp.identities import explain
    from pdsno_cli.discovery.snmp.probe import sweep as ask_agents

    cancel = threading.Event()
    info = ask_agents([address], snmp, cancel).get(address)
    if info is None:
        return
    facts = explain(address, info, snmp, cancel)
    for name, fact in facts.items():
        yield Finding(check=name, verdict="ok", text=f"{fact.value} ({fact.evidence})")
    if not facts:
        yield Finding(
            check="identity",
            verdict="warn",
            text=f"no rule for {info.sys_object_id or 'an agent without sysObjectID'}",
            hint="a rule is a line: docs/identification.md",
        )
