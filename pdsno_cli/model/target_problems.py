"""Explains why a text is not a range of addresses, and what was probably meant."""

from __future__ import annotations

import ipaddress
import re

from pdsno_cli.model.ipv6_problems import (
    ipv6_problem,
    is_address,
    network_of_ipv6,
    valid_ipv6,
)

_OCTETS = re.compile(r"[0-9]+(?:\.[0-9]+)+")
_NAME = re.compile(r"[A-Za-z0-9_-]*[A-Za-z][A-Za-z0-9_.-]*")
# En and em dash, minus sign and ellipsis, which word processors put in place of '-' and '..'.
_DASHES = str.maketrans("\u2013\u2014\u2212\u2026", "----")


def target_problem(text: str) -> tuple[str, str | None]:
    """Return why ``text`` is invalid, and a valid range that it may stand for.

    The sentence goes after "… is not an address range: ". ``text`` has been refused already.
    """
    plain = text.strip()
    if not plain:
        return "it is empty", None
    if (spaced := _spaced(plain)) is not None:
        return spaced
    item = plain[1:].split(" -")[0]
    if plain.startswith("-") and _valid(item) is not None:
        return "a list item is written with a space after its '-'", item
    if "," in plain or ";" in plain or (len(plain.split()) > 1 and "-" not in plain):
        return "it names several; write a list of them", None
    if ":" in plain:
        return _colon(plain)
    if "*" in plain:
        return "write a prefix instead of '*'", _wildcard(plain)
    if "/" in plain:
        return _prefix(plain)
    dashed = _plain_span(plain)
    if dashed != plain:
        return "a span is written with '-'", _valid(dashed)
    start, dash, end = (part.strip() for part in plain.partition("-"))
    if dash and _address(start) is not None:
        return _span(start, end)
    return _octets(start if dash and "." in start else plain)


def _spaced(text: str) -> tuple[str, str] | None:
    """Return what is wrong with a text of two parts that make one range, and that range."""
    parts = re.split(r"\s*/\s*|\s+(?:to|until|through|\.\.)\s+|\s+", text)
    if len(parts) != 2 or not is_address(parts[0]):
        return None
    first, second = parts
    if re.search(r"\s(?:to|until|through|\.\.)\s", text):
        meant = _valid(f"{first}-{second}")
        return None if meant is None else ("a span is written with '-'", meant)
    if (_address(second) is None and not _is_number(second)) or " " not in text:
        return None
    network = _network(f"{first}/{second}")
    if network is None:
        return None
    return (
        "a prefix has no spaces" if "/" in text else "write a prefix length instead of a netmask"
    ), network


def _network(text: str) -> str | None:
    """Return the prefix that an address with a length or a netmask is in."""
    if ":" in text:
        return network_of_ipv6(text)
    try:
        return str(ipaddress.IPv4Network(text, strict=False))
    except ValueError:
        return None


def _colon(text: str) -> tuple[str, str | None]:
    head, _, port = text.rpartition(":")
    if "://" in text:
        return "a target has no scheme", None
    if ":" in head or not _is_number(port):
        dashed = _plain_span(text)
        meant = valid_ipv6(dashed) if dashed != text else None
        return ipv6_problem(dashed) if meant is None else ("a span is written with '-'", meant)
    return "a target has no port", _valid(head)


def _plain_span(text: str) -> str:
    return text.translate(_DASHES).replace("..", "-")


def _prefix(text: str) -> tuple[str, str | None]:
    address, _, length = text.partition("/")
    if _address(address.partition("-")[0]) is not None and "-" in text:
        return "write a span or a prefix, not both", _valid(text.split("/", maxsplit=1)[0])
    if _address(address) is None:
        return _octets(address)[0], None
    if _is_number(length):
        if len(length) > 3 or int(length) > 32:
            return f"a prefix length is at most 32, not {length[:20]}", None
        network = ipaddress.IPv4Network(f"{address}/{length}", strict=False)
        return f"{address} is not the first address of its /{length}", str(network)
    if "." in length and _address(length) is not None:
        try:
            network = ipaddress.IPv4Network(text, strict=False)
        except ValueError:
            return f"{length} is not a valid netmask; write a prefix length", None
        return "write a prefix length instead of a netmask", str(network)
    return f"{length!r} is not a prefix length (0 to 32)", None


def _span(start: str, end: str) -> tuple[str, str | None]:
    if _address(end) is not None:
        return "it ends before it starts", f"{end}-{start}"
    if _is_number(end) and len(end) <= 3 and int(end) <= 255:
        last = f"{start.rpartition('.')[0]}.{int(end)}"
        return "a span ends with a whole address", _valid(f"{start}-{last}")
    return "a span ends with an address", None


def _octets(text: str) -> tuple[str, str | None]:
    if _NAME.fullmatch(text):
        return "targets are addresses; host names are not looked up", None
    if not _OCTETS.fullmatch(text):
        return "write an address, a prefix or a span", None
    parts = text.split(".")
    if len(parts) != 4:
        return f"an IPv4 address has four numbers, not {len(parts)}", None
    for part in parts:
        if int(part[:9]) > 255:
            return f"each number of an address is at most 255, not {part[:20]}", None
    if not text.isascii():
        return "write its numbers with the digits 0 to 9", None
    plain = ".".join(str(int(part[-9:])) for part in parts)
    return "the numbers of an address have no leading zeros", _valid(plain)


def _wildcard(text: str) -> str | None:
    known = re.match(r"(?:[0-9]{1,3}\.){1,3}", text)
    if known is None:
        return None
    parts = known[0].rstrip(".").split(".")
    return _valid(".".join([*parts, *["0"] * (4 - len(parts))]) + f"/{8 * len(parts)}")


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _valid(text: str) -> str | None:
    """Return ``text`` if it is a valid range."""
    if ":" in text:
        return valid_ipv6(text)
    start, dash, end = text.partition("-")
    try:
        if "/" in text:
            ipaddress.IPv4Network(text, strict=True)
        elif dash and ipaddress.IPv4Address(end) < ipaddress.IPv4Address(start):
            return None
        else:
            ipaddress.IPv4Address(start)
    except ValueError:
        return None
    return text


def _address(text: str) -> ipaddress.IPv4Address | None:
    try:
        return ipaddress.IPv4Address(text)
    except ValueError:
        return None
