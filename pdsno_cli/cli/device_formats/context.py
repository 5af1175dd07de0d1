"""What formats of the inventory share: names that are each one device's, and what agents are asked with."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pdsno_cli.cli.device_facts import Facts

if TYPE_CHECKING:
    from pdsno_cli.spec.topology import Snmp, Topology

_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9._-]+")
_NOT_IN_A_WORD = re.compile(r"[^a-z0-9]+")
_VARIABLE = re.compile(r"\$\{(\w+)")
_DEFAULT = "public"


@dataclass(frozen=True, slots=True)
class Context:
    """The SNMP settings of each local controller, secrets as written in the file."""

    snmp: Mapping[str, Snmp]

    @classmethod
    def of(cls, topology: Topology) -> Context:
        """Return those of a topology."""
        return cls({name: item.discovery.snmp for name, item in topology.controllers.items()})

    def credential(self, row: Facts) -> str:
        """Return the name of what a device's agent is asked with, never the secret itself.

        That is the credential's name, else the variable or the file that holds the community, else the
        local controller; ``public_v2``, as in snmp_exporter's own file, for the well-known one.
        """
        named = row["credential"]
        if named and not named.isdecimal():
            return word(named)
        snmp = self.snmp.get(row["controller"])
        community: str | None = _DEFAULT if snmp is None else snmp.community
        if named:  # the number of one without a name
            tried = () if snmp is None else snmp.tried[int(named) - 1 : int(named)]
            community = tried[0].community if tried else None
        if community is None:
            return f"{word(row['controller'])}_{named}"
        if community == _DEFAULT:
            return "public_v2"
        variable = _VARIABLE.search(community)
        if variable is not None:
            return word(variable[1])
        if community.startswith("file:"):
            return word(community.rpartition("/")[2].removeprefix("file:").partition(".")[0])
        return word(row["controller"])

    def port(self, row: Facts) -> int:
        """Return the UDP port of a device's agent."""
        snmp = self.snmp.get(row["controller"])
        return 161 if snmp is None else snmp.port


def word(text: str) -> str:
    """Return text as a lower-case word of letters, digits and underscores, not a digit first."""
    plain = _NOT_IN_A_WORD.sub("_", text.lower()).strip("_")
    return f"_{plain}" if plain[:1].isdigit() else plain


def unique_names(rows: Sequence[Facts]) -> list[str]:
    """Return a name for each device that no other has: its own, with its address where others share it.

    Characters that a host name has not are replaced: what a device is called is up to the device.
    """
    plain = [_NOT_IN_A_NAME.sub("-", row["name"]).strip("-.") or row["address"] for row in rows]
    # Two regions may have one address, each in its own network.
    places = Counter(row["address"] for row in rows)
    counts = Counter(plain)
    taken = []
    for name, row in zip(plain, rows, strict=True):
        if counts[name] > 1 and name != row["address"]:
            name = f"{name}_{row['address'].replace(':', '-')}"  # noqa: PLW2901 - the same name, made longer
        if places[row["address"]] > 1:
            name = f"{name}_{word(row['controller'])}"  # noqa: PLW2901
        taken.append(name)
    return taken
