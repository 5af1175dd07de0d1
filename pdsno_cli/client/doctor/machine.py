"""What this machine grants: privileges of probes, names, open files, ports."""

from __future__ import annotations

import contextlib
import socket
import sys
from typing import TYPE_CHECKING

from pdsno_cli.client.doctor.finding import Finding
from pdsno_cli.model.addresses import parse_address
from pdsno_cli.model.probes import FACTS, how_to_grant, sort_protocols
from pdsno_cli.model.roles import Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pdsno_cli.client.doctor.subject import Subject

_ETH_P_ARP = 0x0806


def check_privileges(subject: Subject) -> Iterator[Finding]:
    """Open the sockets of each protocol that the topology uses."""
    used = {p for spec in subject.topology.of_role(Role.LOCAL) for p in spec.discovery.protocols}
    for protocol in sort_protocols(used):
        name = f"{protocol} privileges"
        if FACTS[protocol].privilege is None:
            yield Finding(check=name, verdict="ok", text="needs none")
        elif protocol == "arp":
            yield _of_arp(name)
        elif protocol == "icmp":
            yield _of_icmp(name)
        else:
            text = f"needs {FACTS[protocol].privilege}"
            yield Finding(check=name, verdict="skip", text=text)


def _of_arp(name: str) -> Finding:
    if not hasattr(socket, "AF_PACKET"):
        return Finding(
            check=name,
            verdict="warn",
            text=f"{sys.platform} has no packet sockets: ARP is left out",
        )
    if _opens(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ARP)):
        return Finding(check=name, verdict="ok", text="packet sockets open")
    return Finding(
        check=name,
        verdict="warn",
        text="packet sockets are refused: MACs come from the kernel's neighbour table",
        hint=how_to_grant("arp"),
    )


def _of_icmp(name: str) -> Finding:
    if _opens(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP):
        return Finding(check=name, verdict="ok", text="datagram sockets open (ping_group_range)")
    if _opens(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP):
        return Finding(check=name, verdict="ok", text="raw sockets open (CAP_NET_RAW)")
    return Finding(
        check=name,
        verdict="warn",
        text="ICMP sockets are refused: devices that speak no other protocol are not found",
        hint=how_to_grant("icmp"),
    )


def _opens(family: int, kind: int, protocol: int) -> bool:
    try:
        socket.socket(family, kind, protocol).close()
    except OSError:
        return False
    return True


def check_resolver(subject: Subject) -> Iterator[Finding]:
    """Resolve the broker's hosts as a connection does."""
    if subject.topology.broker.embedded:
        return
    for address in subject.topology.broker.addresses:
        try:
            found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as exc:
            why = exc.strerror if isinstance(exc, OSError) else "invalid host name"
            yield Finding(
                check="resolver",
                verdict="fail",
                text=f"{address.host} does not resolve ({why})",
                hint="correct broker.host, or the name in DNS or /etc/hosts",
            )
            continue
        where = ", ".join(dict.fromkeys(str(item[4][0]) for item in found))
        yield Finding(check="resolver", verdict="ok", text=f"{address.host} is {where}")


def check_open_files(subject: Subject) -> Iterator[Finding]:
    """Compare what a run needs with what is allowed."""
    from pdsno_cli.supervisor.open_files import open_files_needed
    from pdsno_cli.system.open_files import allow_open_files

    needed = open_files_needed(subject.topology, in_process=False)
    allowed = allow_open_files(needed)
    if allowed >= needed:
        text = f"{needed} are needed, {allowed} allowed"
        yield Finding(check="open files", verdict="ok", text=text)
        return
    yield Finding(
        check="open files",
        verdict="fail",
        text=f"{needed} are needed, {allowed} allowed",
        hint=f"ulimit -n {needed}, or LimitNOFILE={needed} in a systemd unit",
    )


def check_ports(subject: Subject) -> Iterator[Finding]:
    """Try to bind what the topology declares, unless it runs and has them itself."""
    if subject.report is not None:
        return
    topology = subject.topology
    wanted = {}
    if topology.broker.embedded and topology.broker.port:
        wanted[f"127.0.0.1:{topology.broker.port}"] = "the embedded broker"
    for spec in topology.controllers.values():
        if spec.address is not None and topology.uses("http"):
            wanted[spec.address] = spec.controller_id
    for text, user in wanted.items():
        address = parse_address(text, 0)
        try:
            family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
            with contextlib.closing(socket.socket(family, socket.SOCK_STREAM)) as sock:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                sock.bind(address)
        except OSError as exc:
            yield Finding(
                check="ports",
                verdict="warn",
                text=f"{user} cannot listen on {text}: {exc.strerror}",
                hint=f"ss -ltnp 'sport = :{address.port}' shows who does; "
                "it may be a controller of this topology that runs alone",
            )
        else:
            yield Finding(check="ports", verdict="ok", text=f"{text} is free for {user}")
