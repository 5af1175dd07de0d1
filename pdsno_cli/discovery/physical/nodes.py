"""The nodes of a physical map: devices, each once however many local controllers find it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from pdsno_cli.discovery.mac import normalise_mac
from pdsno_cli.discovery.physical.ports import port_label, same_port
from pdsno_cli.model.details import Detail, Neighbour
from pdsno_cli.model.devices import Device

Key = tuple[str, str]  # local controller and device


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A device as one local controller finds it, and its detail where that is known."""

    local_id: str
    region: str
    device: Device
    detail: Detail | None = None

    @property
    def key(self) -> Key:
        """The key of the device."""
        return self.local_id, self.device.device_id


@dataclass(slots=True, kw_only=True, eq=False)
class Node:
    """One device of the map. ``found`` is empty for one that is only heard of by its neighbours.

    ``name`` is for people: sysName, else an address, else what neighbours call it.
    """

    name: str
    found: tuple[Found, ...] = ()
    heard: Neighbour | None = None
    ports: dict[str, str] = field(default_factory=dict)  # names of its interfaces, by MAC

    @property
    def region(self) -> str:
        """The region of the device; empty if it is only heard of."""
        return self.found[0].region if self.found else ""

    @property
    def addresses(self) -> tuple[str, ...]:
        """All addresses of the device."""
        own = dict.fromkeys(a for item in self.found for a in item.device.addresses)
        heard = self.heard.address if self.heard is not None else ""
        return tuple(own) or ((heard,) if heard else ())

    @property
    def macs(self) -> tuple[str, ...]:
        """The MACs of the device and its interfaces."""
        own = dict.fromkeys(item.device.mac for item in self.found if item.device.mac is not None)
        return (*own, *(mac for mac in self.ports if mac not in own))

    def fact(self, name: str) -> str:
        """Return a field of ``extra``, empty if no local controller has it."""
        values = ((item.device.extra or {}).get(name, "") for item in self.found)
        return next((value for value in values if value), "")


def nodes_of(found: Iterable[Found]) -> list[Node]:
    """Return one node for each device.

    What two local controllers find is one device if its engine id, or vendor and serial number, or MAC
    and name are the same. What one local controller tells apart stays apart.
    """
    groups: list[list[Found]] = []
    by_sign: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for item in found:
        signs = list(_signs(item))
        fitting = (index for sign in signs for index in by_sign[sign])
        index = next((i for i in fitting if _fits(groups[i], item)), None)
        if index is None:
            index = len(groups)
            groups.append([])
        groups[index].append(item)
        for sign in signs:
            by_sign[sign].append(index)
    return [_node(tuple(group)) for group in groups]


def _signs(item: Found) -> Iterator[tuple[str, ...]]:
    extra = item.device.extra or {}
    if "engine_id" in extra:
        yield "engine", extra["engine_id"]
    if "serial" in extra:
        yield "serial", extra.get("vendor", ""), extra["serial"]
    if item.device.mac is not None and item.device.sys_name is not None:
        yield "mac", item.device.mac, item.device.sys_name


def _fits(group: list[Found], item: Found) -> bool:
    return all(other.local_id != item.local_id for other in group)


def _node(group: tuple[Found, ...]) -> Node:
    first = group[0].device
    name = next((i.device.sys_name for i in group if i.device.sys_name), first.addresses[0])
    details = [item.detail for item in group if item.detail is not None]
    ports = {
        interface.mac: interface.name
        for detail in details
        for interface in detail.interfaces
        if interface.mac is not None
    }
    return Node(name=name, found=group, ports=ports)


class Directory:
    """Finds the node that a neighbour, a MAC or an address belongs to."""

    def __init__(self, nodes: Iterable[Node]) -> None:
        self._by_chassis: dict[str, Node] = {}
        self._by_mac: dict[str, Node] = {}
        self._by_address: dict[str, Node] = {}
        self._by_name: dict[str, Node | None] = {}
        for node in nodes:
            for item in node.found:
                if item.detail is not None and item.detail.chassis:
                    self._by_chassis.setdefault(item.detail.chassis.lower(), node)
            for mac in node.macs:
                self._by_mac.setdefault(mac, node)
            for address in node.addresses:
                self._by_address.setdefault(address, node)
            for name in _names(node):
                # A name that two devices have identifies none.
                self._by_name[name] = None if self._by_name.get(name, node) is not node else node

    def of_neighbour(self, heard: Neighbour) -> Node | None:
        """Return the device that a neighbour is; by chassis, then address, then name."""
        chassis = heard.chassis.lower()
        return (
            self._by_chassis.get(chassis)
            or self._by_mac.get(normalise_mac(chassis) or "")
            or self._by_address.get(heard.address)
            or self._by_address.get(chassis)
            or self._by_name.get(_short(heard.name))
        )

    def of_mac(self, mac: str) -> Node | None:
        """Return the device with a MAC."""
        return self._by_mac.get(mac)


def _names(node: Node) -> set[str]:
    names = {item.device.sys_name for item in node.found}
    return {_short(name) for name in names if name}


def _short(name: str) -> str:
    """Return a name without its domain, in lower case."""
    return name.split(".", maxsplit=1)[0].lower()


def by_port(node: Node, heard: Neighbour) -> str:
    """Return the name of a node's port, which its neighbour hears by a MAC, a number or a name.

    The description is believed where the identifier is a MAC that no known interface has, or a number
    that is none's name while the description is one's.
    """
    mac = normalise_mac(heard.port)
    if mac is not None:
        return node.ports.get(mac) or port_label(heard)
    if not heard.port_description or not heard.port.isdecimal():
        return heard.port
    names = [interface.name for detail in details(node) for interface in detail.interfaces]
    if heard.port in names:
        return heard.port
    return next((name for name in names if same_port(heard.port_description, name)), heard.port)


def details(node: Node) -> Iterator[Detail]:
    """Yield the details of a node."""
    for item in node.found:
        if item.detail is not None:
            yield item.detail


def merged_neighbours(node: Node) -> Mapping[tuple[str, str, str], Neighbour]:
    """Return what a node hears, each neighbour once: by interface, chassis and port."""
    return {
        (one.interface, (one.chassis or one.name).lower(), one.port): one
        for detail in details(node)
        for one in detail.neighbours
    }
