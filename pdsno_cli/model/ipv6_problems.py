"""Explains why a text is not a range of IPv6 addresses, and what was probably meant."""

from __future__ import annotations

import ipaddress
import re

from pdsno_cli.model.address_numbers import address_number, canonical

_MAC = re.compile(r"[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5}")
_BRACKETED = re.compile(r"\[([^\]]*)\](?::([0-9]+))?")
_LAST_GROUP = re.compile(r"[0-9A-Fa-f]{1,4}")
_BITS = 128
_GROUPS = 8


def ipv6_problem(text: str) -> tuple[str, str | None]:
    """Return why ``text``, which has several colons, is invalid, and a range that it may stand for."""
    if _MAC.fullmatch(text):
        return "it is a MAC, not an address", None
    if "[" in text or "]" in text:
        whole = _BRACKETED.fullmatch(text)
        if whole is not None and whole[2]:
            return "a target has no port", valid_ipv6(whole[1])
        return "a target has no brackets", valid_ipv6(text.replace("[", "").replace("]", ""))
    if "%" in text:
        return "a target has no zone after '%'; write the /64 of the link", None
    if "/" in text:
        return _prefix(text)
    start, dash, end = (part.strip() for part in text.partition("-"))
    if dash and is_address(start):
        return _span(start, end)
    return _groups(start)


def _prefix(text: str) -> tuple[str, str | None]:
    address, _, length = text.partition("/")
    if "-" in address:
        return "write a span or a prefix, not both", valid_ipv6(address)
    if not is_address(address):
        why, meant = _groups(address)
        if meant is None and 0 < address.count(":") < _GROUPS - 1 and "::" not in address:
            meant = f"{address.rstrip(':')}::"  # the zeros at its end are missing
        return why, network_of_ipv6(f"{meant}/{length}") if meant is not None else None
    if not (length.isascii() and length.isdigit()):
        return f"{length[:20]!r} is not a prefix length (0 to {_BITS})", None
    if len(length) > 3 or int(length) > _BITS:
        return f"a prefix length is at most {_BITS}, not {length[:20]}", None
    return f"{address} is not the first address of its /{length}", network_of_ipv6(text)


def _span(start: str, end: str) -> tuple[str, str | None]:
    if is_address(end):
        if (":" in start) != (":" in end):
            return "a span has addresses of one family, IPv4 or IPv6", None
        return "it ends before it starts", valid_ipv6(f"{end}-{start}")
    if _LAST_GROUP.fullmatch(end) and ":" in start:
        last = f"{start.rpartition(':')[0]}:{end}"
        return "a span ends with a whole address", valid_ipv6(f"{start}-{last}")
    return "a span ends with an address", None


def _groups(text: str) -> tuple[str, str | None]:
    """Return what is wrong with one address."""
    if text.count("::") > 1 or ":::" in text:
        return "an IPv6 address has '::' once, at most", None
    groups = [group for group in text.split(":") if group]
    for group in groups:
        if not re.fullmatch(r"[0-9A-Fa-f.]+", group):
            return f"the groups of an IPv6 address are hexadecimal, not {group[:20]!r}", None
        if len(group) > 4 and "." not in group:
            short = ":".join(item.lstrip("0") or "0" if item else "" for item in text.split(":"))
            return (
                f"a group of an IPv6 address has at most four digits, not {group[:20]!r}",
                valid_ipv6(short),
            )
    if text.endswith(":") and not text.endswith("::"):
        return "zeros at the end are written '::'", valid_ipv6(f"{text}:")
    if text.startswith(":") and not text.startswith("::"):
        return "zeros at the start are written '::'", valid_ipv6(f":{text}")
    if len(groups) > _GROUPS or ("::" in text and len(groups) == _GROUPS):
        return (
            f"an IPv6 address has {_GROUPS} groups, and '::' stands for one or more of them",
            None,
        )
    if "::" not in text and len(groups) < _GROUPS:
        return (
            f"an IPv6 address has {_GROUPS} groups, not {len(groups)}; write '::' for the zeros",
            None,
        )
    return "write an address, a prefix or a span", None


def is_address(text: str) -> bool:
    """Return True for an address of either family."""
    try:
        address_number(text)
    except ValueError:
        return False
    return True


def network_of_ipv6(text: str) -> str | None:
    """Return the prefix that an address with a length is in."""
    try:
        return str(ipaddress.IPv6Network(text, strict=False))
    except ValueError:
        return None


def valid_ipv6(text: str) -> str | None:
    """Return ``text`` in its canonical form if it is an address, a span or a prefix, or None."""
    start, dash, end = text.partition("-")
    try:
        if "/" in text:
            return str(ipaddress.IPv6Network(text, strict=True))
        if not dash:
            return canonical(text)
        first, last = address_number(start), address_number(end)
    except ValueError:
        return None
    return f"{canonical(start)}-{canonical(end)}" if first <= last else None
