"""Wires the lab of a topology: plans it, runs it in a child, carries out its changes."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pdsno_cli.lab.others import recordings
from pdsno_cli.lab.plan import Credential, LabDevice, LabUser, Segment, plan
from pdsno_cli.lab.server import Lab
from pdsno_cli.model.address_numbers import is_ipv6
from pdsno_cli.model.errors import LabError
from pdsno_cli.model.roles import Role
from pdsno_cli.model.targets import expand, parse_target
from pdsno_cli.runtime.environment import set_environment
from pdsno_cli.spec import secrets
from pdsno_cli.spec.resolved import decode

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from pdsno_cli.spec.topology import Credential as Declared
    from pdsno_cli.spec.topology import SnmpKey, Topology

_REQUEST = 65_536  # bytes read at once
_LONGEST_NAME = 255  # DisplayString of SNMPv2-TC (RFC 2579)


def plan_lab(topology: Topology) -> Lab | None:
    """Return the lab that a topology declares, not yet open; None where it declares none."""
    if topology.lab is None:
        return None
    if topology.lab.mode == "namespace":
        from pdsno_cli.lab.wire import Wire

        return Lab(
            planned_devices(topology),
            Wire(topology.name, _ranges(topology), ipv6=topology.lab.ipv6),
        )
    return Lab(planned_devices(topology))


def replan(lab: Lab, topology: Topology) -> str:
    """Change a lab into the one that a topology declares now; LabError when it cannot be."""
    assert topology.lab is not None  # a lab that is no longer declared is ended
    if topology.lab.mode != lab.mode:
        raise LabError(
            f"a running lab cannot change from {lab.mode} to {topology.lab.mode}: "
            "end it with pdsno down first"
        )
    if topology.lab.ipv6 != lab.ipv6:
        raise LabError("a running lab cannot change its IPv6 prefix: end it with pdsno down first")
    return lab.replan(planned_devices(topology), _ranges(topology))


def _ranges(topology: Topology) -> list[tuple[int, int]]:
    targets = (
        target for local in topology.of_role(Role.LOCAL) for target in local.discovery.targets
    )
    found = (parse_target(target) for target in targets if not is_ipv6(target))
    return [(item.first, item.last) for item in found]


def planned_devices(topology: Topology) -> tuple[LabDevice, ...]:
    """Return the devices of the lab that a topology declares; LabError where they do not fit."""
    return _planned(topology, lambda text: secrets.resolve(text, base=topology.folder))


def laid_out_devices(topology: Topology) -> tuple[LabDevice, ...]:
    """Return the same devices with their communities as written, for which no secret is needed."""
    if topology.lab is None:
        raise LabError(f"{topology.name} has no lab")
    return _planned(topology, str)


def _planned(topology: Topology, resolve: Callable[[str], str]) -> tuple[LabDevice, ...]:
    spec = topology.lab
    assert spec is not None  # nobody plans what is not declared
    segments = [
        Segment(
            # A device is placed by its IPv4 address; that of IPv6 follows from it.
            targets=expand(item for item in local.discovery.targets if not is_ipv6(item)),
            port=local.discovery.snmp.port,
            community=resolve(local.discovery.snmp.community),
            credentials=[_credential(item, resolve) for item in local.discovery.snmp.tried],
        )
        for local in topology.of_role(Role.LOCAL)
    ]
    files = recordings(Path(spec.recordings)) if spec.recordings is not None else ()
    return plan(segments, devices=spec.devices, snmp=spec.snmp, icmp=spec.icmp, files=files)


def _credential(found: Declared, resolve: Callable[[str], str]) -> Credential:
    """Return the community or the user of SNMPv3 that is tried, secrets resolved."""
    if found.community is not None:
        return resolve(found.community)
    assert found.user is not None  # the schema: a credential is a community or a user

    def key(declared: SnmpKey | None) -> tuple[str, str] | None:
        return None if declared is None else (declared.protocol, resolve(declared.password))

    return LabUser(name=found.user, auth=key(found.auth), privacy=key(found.privacy))


def change(lab: Lab | None, request: dict[str, Any]) -> dict[str, Any]:
    """Carry out a request to change the lab; LabError when it cannot be."""
    if lab is None:
        raise LabError("this topology has no lab")
    address = request.get("address", "")
    match request["change"]:
        case "remove":
            done = lab.remove(address)
        case "add":
            done = lab.add(lab.model(address))
        case "rename":
            if len(request["sys_name"].encode(errors="replace")) > _LONGEST_NAME:
                raise LabError(f"a sysName has at most {_LONGEST_NAME} bytes")
            done = lab.rename(address, request["sys_name"])
        case "replan":
            set_environment(request["environment"])
            done = replan(lab, decode(request["topology"].encode()))
        case other:
            raise LabError(f"a lab cannot {other!r}")
    return {"done": done}


def run_lab(
    topology: Topology, line: socket.socket, on_stop: Callable[[Callable[[], None]], None]
) -> None:
    """Run the lab as a child: send ``ready`` on ``line``, then answer requests until stopped.

    ``on_stop`` registers what to call at the signal to stop.
    """
    lab = plan_lab(topology)
    assert lab is not None  # the supervisor starts no lab that is not declared
    stop = threading.Event()
    on_stop(stop.set)
    try:
        lab.open()
    except LabError as exc:
        _send(line, {"error": str(exc)})
        raise
    try:
        _send(line, {"ready": True})
        requests = _Requests(lab, line, stop)
        lab.serve(stop, others=[(line, requests.receive)])
    finally:
        lab.close()


class _Requests:
    """The requests on the lab's line, whole lines only; each answer carries its number."""

    def __init__(self, lab: Lab, line: socket.socket, stop: threading.Event) -> None:
        self._lab = lab
        self._line = line
        self._stop = stop
        self._rest = b""

    def receive(self) -> None:
        """Carry out the requests that arrived; the lab stops when the line is closed."""
        data = self._line.recv(_REQUEST)
        if not data:
            self._stop.set()
            return
        *lines, self._rest = (self._rest + data).split(b"\n")
        for item in lines:
            request = json.loads(item)
            try:
                answer = change(self._lab, request)
            except (LabError, AttributeError, KeyError, TypeError, ValueError) as exc:
                answer = {"error": str(exc)}
            _send(self._line, {**answer, "number": request["number"]})


def _send(line: socket.socket, answer: dict[str, Any]) -> None:
    line.sendall(json.dumps(answer).encode() + b"\n")
