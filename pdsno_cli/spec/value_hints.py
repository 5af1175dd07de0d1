"""Finds what a refused value was meant to be: the hint shows the value to write, itself valid."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any

from pdsno_cli.model.durations import UNITS, format_duration
from pdsno_cli.spec.scalars import resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_SECONDS = {
    **dict.fromkeys(("ms", "msec", "millis", "millisecond", "milliseconds"), UNITS["ms"]),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), UNITS["s"]),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), UNITS["m"]),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), UNITS["h"]),
    **dict.fromkeys(("d", "day", "days"), 24 * UNITS["h"]),
    **dict.fromkeys(("w", "week", "weeks"), 168 * UNITS["h"]),
}
_PART = re.compile(r"([0-9]{1,9}(?:[.,][0-9]{1,9})?)\s*([a-z]+)\s*")
_CLOCK = re.compile(r"(?:([0-9]{1,4}):)?([0-9]{1,2}):([0-9]{1,2})")
_ADDRESSES = ("targets", "prefixes", "split", "host", "hosts", "address")
_QUOTES = "\u201c\u201d\u201e\u2018\u2019\u00ab\u00bb`'\""
_SEPARATOR = re.compile(r"[,;\s]+")
_WORDS = {
    "arp": ("arping",),
    "icmp": ("ping", "icmpv4"),
    "snmp": ("snmpv2c", "snmpv2"),
    "mqtt": ("mqtts", "mqtt5"),
    "http": ("https", "rest"),
    "3.1.1": ("4", "3.1", "311", "mqttv311", "v3.1.1", "3"),
    "5": ("5.0", "mqttv5", "v5", "mqtt5"),
    "2c": ("2", "v2", "v2c", "snmpv2c"),
    "global": ("gc", "root", "top"),
    "regional": ("rc", "region", "zone"),
    "local": ("lc", "edge", "site"),
}


def meant(
    fragment: dict[str, Any], value: Any, fits: Callable[[Any], bool], key: str = ""
) -> str | None:
    """Return the text of the value that ``value`` probably stands for, None if it is not clear.

    ``fits`` judges a value by the schema of its place, so only a valid one is returned. ``key`` is
    that of the place; the schema of an address is any text, so none is made from a number.
    """
    if key in _ADDRESSES and not isinstance(value, str):
        return None
    if key == "timeout" and isinstance(value, int) and 60 < value <= 60_000:
        return f"{value}ms"  # the longest is 1m
    for text in _candidates(fragment, value):
        parsed: Any = text
        if text.startswith("[") and text.endswith("]"):
            parsed = [item.strip() for item in text[1:-1].split(",")]
        elif text.startswith("'"):
            parsed = text.strip("'")
        else:
            parsed = resolve(text)
        if fits(parsed):
            return text
    return None


def _candidates(fragment: dict[str, Any], value: Any) -> Iterator[str]:
    pattern = fragment.get("pattern", "")
    if "ms|s|m|h" in pattern:
        yield from _durations(value)
    elif "enum" in fragment:
        yield from _words(fragment["enum"], str(value))
    elif isinstance(value, str):
        yield from _texts(fragment, value)
    elif isinstance(value, float) and value.is_integer():
        yield str(int(value))
    if isinstance(value, str) and value.casefold() in ("yes", "on", "y", "true", "1"):
        yield "true"
    elif isinstance(value, str) and value.casefold() in ("no", "off", "n", "false", "0"):
        yield "false"
    if isinstance(value, int | float) and not isinstance(value, bool):
        yield f"'{value}'"


def _texts(fragment: dict[str, Any], value: str) -> Iterator[str]:
    pattern = fragment.get("pattern", "")
    plain = value.split(" //", maxsplit=1)[0].strip().strip(_QUOTES).rstrip(";,")
    yield plain
    yield plain.strip("/")
    yield re.sub(r"^\w+://", "", plain).rstrip("/")
    yield f"[{', '.join(filter(None, _SEPARATOR.split(plain)))}]"
    yield re.sub(r"\s*[:;,]\s*|\s+", ":", plain)
    if pattern.startswith("^[A-Za-z0-9]"):  # a name
        letters = unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode()
        yield re.sub(r"[^A-Za-z0-9._-]+", "-", letters).strip("-._")
    yield plain.replace("_", "").replace(",", "")
    sized = re.fullmatch(r"(\d{1,6})\s*([kKmM])(i?[bB]?)", plain)
    if sized:
        unit = 1024 if sized[3] or fragment.get("minimum") == 1024 else 1000  # bytes, or a number
        yield str(int(sized[1]) * {"k": unit, "m": unit**2}[sized[2].lower()])
    number = resolve(plain)
    if isinstance(number, float) and number.is_integer():
        yield str(int(number))


def _durations(value: Any) -> Iterator[str]:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return
    text = str(value).split(" //")[0].strip().strip(_QUOTES).rstrip(";,").casefold().lstrip("+")
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text):
        yield f"{text}s"
        return
    clock = _CLOCK.fullmatch(text)
    if clock:
        hours, minutes, seconds = (int(part or 0) for part in clock.groups())
        yield format_duration(hours * 3600.0 + minutes * 60 + seconds)
        return
    if text.startswith("p"):
        text = text[1:].replace("t", "")
    total, at = 0.0, 0
    for part in _PART.finditer(text):
        if part.start() != at or part[2] not in _SECONDS:
            return
        total += float(part[1].replace(",", ".")) * _SECONDS[part[2]]
        at = part.end()
    if at and at == len(text):
        yield format_duration(total)


def _words(allowed: list[Any], text: str) -> Iterator[str]:
    plain = text.split(" //", maxsplit=1)[0].strip().strip(_QUOTES).rstrip(";,").casefold()
    for word in map(str, allowed):
        if plain == word.casefold() or plain in _WORDS.get(word, ()):
            yield word if isinstance(resolve(word), str) or word not in allowed else f"'{word}'"
