"""What a sweep does for IPv6: the neighbours of links, who of the targets is there, and their MACs.

IPv6 has no ARP. To send to a target on a link, the kernel asks for its MAC (RFC 4861), so its table
shows who is there, even of those that do not answer echo.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.discovery import neighbours6, onlink6
from pdsno_cli.discovery.all_nodes import neighbours_of
from pdsno_cli.discovery.mac import format_mac, is_group
from pdsno_cli.discovery.probe import Answers, ProbeUnavailableError
from pdsno_cli.discovery.room6 import NeighbourRoom
from pdsno_cli.model.address_numbers import IPV6, address_number
from pdsno_cli.model.address_ranges import AddressRange
from pdsno_cli.model.probes import SHARED
from pdsno_cli.model.targets import AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterable
    from threading import Event

    from pdsno_cli.discovery.pace import Pace


_OTHERS = 124  # entries of the neighbour table that are left to others


class NearIpv6:
    """The IPv6 targets of one sweep; used by the threads of its probes."""

    def __init__(self, targets: AddressSet, pace: Pace) -> None:
        self._pace = pace
        six = bool(targets.wide) or any(item.first >= IPV6 for item in targets.ranges[-1:])
        self._links = onlink6.links() if six else ()
        self._wide = bool(targets.wide)
        self._near = onlink6.neighbours_among(targets, self._links)
        self._prefixes = AddressSet(link.prefix for link in self._links)
        self._room = NeighbourRoom(link.index for link in self._links) if self._links else None
        self._most = max(neighbours6.limit() - _OTHERS, 1)
        self.warnings: list[str] = []

    def __bool__(self) -> bool:
        """True if a target is on a link, or a link itself."""
        return bool(self._near) or self._wide

    def expand(self, targets: AddressSet, cancel: Event | None) -> AddressSet:
        """Return the targets, with those on each wanted link that may be there in place of the link.

        Known devices are among them. Without ``cancel`` only they are: nothing is sent.
        """
        if not targets.wide:
            return targets
        whole = AddressSet(targets.wide)
        found = {a for a in self._pace.devices if a in whole}
        links = [link for link in self._links if _holds(link, whole)]
        missing = [
            prefix
            for item in targets.wide
            for prefix in item.links()
            if not any(link.prefix.first <= item.first <= link.prefix.last for link in links)
        ]
        if cancel is None:
            names = dict.fromkeys(name for item in targets.wide for name in item.links())
            self.warnings.append(
                f"only icmp finds the neighbours on {', '.join(names)}: add it to the protocols"
            )
        else:
            self._warn_of(dict.fromkeys(missing))
            try:
                found |= neighbours_of(links, whole, cancel) if links else set()
            except ProbeUnavailableError as exc:
                self.warnings.append(f"no neighbour can be asked by IPv6: {exc}")
        return AddressSet((*targets.ranges, *_ranges(found)))

    def _warn_of(self, missing: Iterable[str]) -> None:
        for prefix in missing:
            self.warnings.append(
                f"no link of this machine has {prefix}: its neighbours cannot be asked from here; "
                "write its addresses, or a prefix of /108 or longer"
            )

    def watch(self, asked: AddressSet) -> None:
        """Keep room for the neighbours among ``asked`` until ``close``, if they may be too many."""
        if self._room is not None and len(asked.within(self._prefixes)) > self._most:
            self._room.watch()

    def learn(self, answers: Iterable[str]) -> None:
        """Note the MACs of neighbours, now that these have answered."""
        if self._room is None:
            return
        self._room.look()
        there = sum(address in self._prefixes for address in answers)
        if there > self._most:
            self.warnings.append(
                f"{there:,} hosts on IPv6 links do not fit into the kernel's neighbour table of "
                f"{neighbours6.limit():,}: cycles wait until it has room (grant CAP_NET_ADMIN, or sudo "
                f"sysctl net.ipv6.neigh.default.gc_thresh3={2 * (there + _OTHERS)})"
            )

    def close(self) -> None:
        """End what ``watch`` began; harmless when repeated."""
        if self._room is not None:
            self._room.close()

    def asked_further(
        self, asked: AddressSet, answers: Iterable[str], *, answering_only: bool
    ) -> AddressSet:
        """Return what other protocols ask: those that are there, and known devices.

        Their answer may be lost. All targets behind routers are, unless ``answering_only``.
        """
        there = {*answers, *self._pace.devices, *(self._pace.known or ())}
        if self._room is not None:
            there.update(self._room.macs)
        far = AddressSet() if answering_only else asked.without(self._prefixes)
        return AddressSet((*far.ranges, *_ranges(a for a in there if a in asked)))

    def macs(self, answers: Answers) -> Answers:
        """Return the answers, each of a neighbour with its MAC."""
        if self._room is None:
            return answers
        found = dict(answers)
        for address in answers:
            octets = self._room.macs.get(address, b"")
            if not any(octets) or is_group(octets) or address not in self._prefixes:
                continue
            mac = format_mac(octets)
            # A MAC that several share identifies no device, but its address is in use.
            own = {SHARED: "a virtual MAC"} if mac is None else {"mac": mac}
            found[address] = {**answers[address], **own}
        return found


def _holds(link: onlink6.Link6, targets: AddressSet) -> bool:
    return bool(targets.within(AddressSet((link.prefix,))))


def _ranges(addresses: Iterable[str]) -> list[AddressRange]:
    numbers = map(address_number, addresses)
    return [AddressRange(number, number) for number in numbers]
