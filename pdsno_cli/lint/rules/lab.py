"""PDS216: a lab that does not fit the targets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pdsno_cli.lint.common import addresses, local_targets, target_path
from pdsno_cli.lint.rule import Rule
from pdsno_cli.model.address_numbers import IPV6
from pdsno_cli.model.roles import Role
from pdsno_cli.model.targets import AddressRange, is_link, parse_range

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pdsno_cli.model.diagnostics import Diagnostic
    from pdsno_cli.spec.document import Document
    from pdsno_cli.spec.topology import Controller, Lab, Topology

CODE = "PDS216"
LOOPBACK = (127 << 24, (128 << 24) - 1)
# Addresses that no machine on the Internet has: RFC 1918, 6598, 2544 and 5737.
PRIVATE = tuple(
    parse_range(text)
    for text in (
        "10.0.0.0-10.255.255.255", "172.16.0.0-172.31.255.255", "192.168.0.0-192.168.255.255",
        "100.64.0.0-100.127.255.255", "198.18.0.0-198.19.255.255", "192.0.2.0-192.0.2.255",
        "198.51.100.0-198.51.100.255", "203.0.113.0-203.0.113.255",
    )
)  # fmt: skip


PRIVATE_IPV6 = parse_range("fc00::-fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")  # RFC 4193


def check(topology: Topology, document: Document) -> Iterator[Diagnostic]:
    """Yield a finding for too few targets, too many agents, and targets that the lab cannot have."""
    lab = topology.lab
    if lab is None:
        return
    if lab.snmp > lab.devices:
        yield document.finding(
            CODE,
            f"{lab.snmp} of {lab.devices} devices cannot answer SNMP",
            ("lab", "snmp"),
            hint=f"at most {lab.devices}",
        )
    if lab.recordings is not None and not Path(lab.recordings).is_dir():
        yield document.finding(
            CODE,
            f"there is no folder {lab.recordings}",
            ("lab", "recordings"),
            hint="paths start from the folder of this file",
        )
    if lab.icmp is not None:
        yield from _icmp(lab, lab.icmp, document)
    if lab.ipv6 is not None:
        yield from _ipv6(lab, lab.ipv6, document)
    every = list(local_targets(topology))
    targets = [item for item in every if item[2].first < IPV6]
    yield from _ipv6_targets(lab, every, document)
    loopback = lab.mode == "loopback"
    fits = _on_loopback if loopback else _private
    off = [(controller, index) for controller, index, found in targets if not fits(found)]
    most = len(off) > 1 and 2 * len(off) >= len(targets)  # then the lab is the mistake: one finding
    for controller, index in off[:1] if most else off:
        others = f", and neither are {len(off) - 1} other targets" if most else ""
        where = "on loopback, where the lab is" if loopback else "in a private range"
        allowed = (
            "a loopback lab has addresses of 127.0.0.0/8"
            if loopback
            else "a namespace lab has private addresses, as 10.77.0.0/24"
        )
        yield document.finding(
            CODE,
            f"{controller.discovery.targets[index]} is not {where}{others}",
            target_path(document, controller, index),
            hint=allowed + (": change the targets, or remove the lab" if most else ""),
        )
    available = _count([found for _, _, found in targets])
    with_overlaps = sum(found.size for _, _, found in targets)
    elsewhere = any(
        item.discovery.targets and item.role is not Role.LOCAL
        for item in topology.controllers.values()
    )
    # An overlap, and targets of a controller that discovers nothing, are findings already.
    explained = with_overlaps >= lab.devices or elsewhere or _refused(topology)
    if available < lab.devices and document.complete and not explained:
        yield document.finding(
            CODE,
            f"{lab.devices} devices do not fit on the {available} addresses of all targets",
            ("lab", "devices"),
            hint=f"at most {available}, or wider targets",
        )


def _ipv6(lab: Lab, prefix: str, document: Document) -> Iterator[Diagnostic]:
    found = addresses(prefix)
    if lab.mode == "loopback":
        yield document.finding(
            CODE,
            "'ipv6' has no effect on loopback: a loopback lab has addresses of 127.0.0.0/8 only",
            ("lab", "ipv6"),
            hint="remove it, or set mode: namespace",
        )
    elif isinstance(found, str) or not is_link(found) or not _within(found, PRIVATE_IPV6):
        yield document.finding(
            CODE,
            f"{prefix!r} is not a private /64 of IPv6",
            ("lab", "ipv6"),
            hint="for example: ipv6: fd00:77::/64",
        )


def _ipv6_targets(
    lab: Lab, targets: list[tuple[Controller, int, AddressRange]], document: Document
) -> Iterator[Diagnostic]:
    """Yield a finding for each IPv6 target where the lab has no device."""
    own = None if lab.ipv6 is None or lab.mode == "loopback" else addresses(lab.ipv6)
    for controller, index, found in targets:
        inside = isinstance(own, AddressRange) and _within(found, own)
        if found.first >= IPV6 and not inside and not isinstance(own, str):
            yield document.finding(
                CODE,
                f"{controller.discovery.targets[index]} is not in the IPv6 prefix of the lab",
                target_path(document, controller, index),
                hint="a namespace lab has one with ipv6: fd00:77::/64",
            )


def _within(found: AddressRange, other: AddressRange) -> bool:
    return other.first <= found.first and found.last <= other.last


def _icmp(lab: Lab, icmp: int, document: Document) -> Iterator[Diagnostic]:
    if lab.mode == "loopback":
        yield document.finding(
            CODE,
            "'icmp' has no effect on loopback: the kernel answers echo for every address",
            ("lab", "icmp"),
            hint="remove it, or set mode: namespace",
        )
    elif icmp > lab.devices:
        yield document.finding(
            CODE,
            f"{icmp} of {lab.devices} devices cannot answer ICMP",
            ("lab", "icmp"),
            hint=f"at most {lab.devices}",
        )


def _on_loopback(found: AddressRange) -> bool:
    return LOOPBACK[0] <= found.first and found.last <= LOOPBACK[1]


def _private(found: AddressRange) -> bool:
    return any(_within(found, item) for item in PRIVATE)


def _refused(topology: Topology) -> bool:
    """Return True if a target is invalid, so that the number of addresses is not known."""
    return any(
        isinstance(addresses(target), str)
        for controller in topology.of_role(Role.LOCAL)
        for target in controller.discovery.targets
    )


def _count(ranges: list[AddressRange]) -> int:
    """Return the number of distinct addresses in the ranges."""
    total, reached = 0, -1
    for found in sorted(ranges):
        total += max(0, found.last - max(found.first, reached + 1) + 1)
        reached = max(reached, found.last)
    return total


RULE = Rule(code=CODE, name="lab", check=check)
