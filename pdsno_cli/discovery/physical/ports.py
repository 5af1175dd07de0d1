"""Compares the names of ports: one device says ``Gi1/0/1``, its neighbour ``GigabitEthernet1/0/1``."""

from __future__ import annotations

import re

from pdsno_cli.discovery.mac import normalise_mac
from pdsno_cli.model.details import Neighbour

_NAME = re.compile(r"\s*([a-z -]*?)[ -]*(\d.*?)\s*", re.IGNORECASE)


def same_port(one: str, other: str) -> bool:
    """Return True if two names are of one port: equal, or one's words abbreviate the other's."""
    if not one or not other:
        return False
    first, second = _NAME.fullmatch(one), _NAME.fullmatch(other)
    if first is None or second is None:
        return one.strip().lower() == other.strip().lower()
    if first[2].lower() != second[2].lower():
        return False
    short, long = sorted((_letters(first[1]), _letters(second[1])), key=len)
    return long.startswith(short) or (len(short) == 2 and _initials(short, long))


def port_label(heard: Neighbour) -> str:
    """Return a neighbour's port for people: its identifier, or its description where that is a MAC."""
    is_mac = normalise_mac(heard.port) is not None
    return (is_mac and heard.port_description) or heard.port


def _letters(words: str) -> str:
    return re.sub(r"[^a-z]", "", words.lower())


def _initials(short: str, long: str) -> bool:
    """Return True if two letters are those of a long name in order, as ``xe`` of ``xgigabitethernet``."""
    return bool(short) and long[0] == short[0] and short[1] in long[1:]
