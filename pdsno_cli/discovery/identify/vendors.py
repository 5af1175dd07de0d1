"""Vendors by enterprise number: our own table, then the system's list where one is installed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

# Debian's ipmitool installs IANA's list.
SYSTEM_LISTS = (Path("/usr/share/misc/enterprise-numbers.txt"),)

# Agents, not vendors: a sysObjectID below these says which software answers on somebody's hardware.
AGENT_SOFTWARE = frozenset({99, 2021, 4413, 4491, 4976, 8072, 12325, 14851, 26381})
_COMPANY = re.compile(
    r"[,\s]+(?:inc|llc|ltd|limited|corp|corporation|co|company|gmbh|ag|a/s|s\.?a|s\.?p\.?a|bv|b\.v|oy|ab|"
    r"s\.?r\.?o|s\.?r\.?l|plc|pty|kg|as|sas)\.?(?=$|[,\s])",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Vendor:
    """A vendor, and the type of most of its devices where that is one."""

    name: str
    kind: str | None = None


@cache
def table() -> dict[int, Vendor]:
    """Return our own table."""
    text = files(__package__).joinpath("vendors.txt").read_text(encoding="utf-8")
    found: dict[int, Vendor] = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            number, name, *kind = (part.strip() for part in line.split("|"))
            found[int(number)] = Vendor(name, *kind)
    return found


@cache
def vendor(number: int) -> Vendor | None:
    """Return the vendor with an enterprise number; None if it is unknown or an agent's software."""
    if number in AGENT_SOFTWARE:
        return None
    return table().get(number) or _from_system(number)


def _from_system(number: int) -> Vendor | None:
    for path in SYSTEM_LISTS:
        name = _listed(path).get(number)
        if name is not None:
            return Vendor(name)
    return None


@cache
def _listed(path: Path) -> dict[int, str]:
    """Return the names of IANA's list: a number on a line, its organisation indented on the next."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    pairs = re.findall(r"^(\d{1,9})\n  (\S.*)$", text, re.MULTILINE)
    return {int(number): short for number, name in pairs if (short := short_name(name))}


def short_name(name: str) -> str | None:
    """Return a company's name without former names and legal form; None for a reserved number."""
    plain = name.partition("(")[0].strip()
    plain = _COMPANY.sub("", plain).strip(" ,.")
    return None if plain.casefold() in {"", "reserved", "unassigned", "none"} else plain[:64]
