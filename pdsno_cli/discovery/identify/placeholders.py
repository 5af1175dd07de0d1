"""Values that stand where nobody set one: they identify no device and name no model."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

_WORDS = frozenset(
    {
        "n/a", "na", "n.a.", "none", "null", "nil", "(null)", "unknown", "undefined", "not set", "notset", "default",
        "default string", "to be filled by o.e.m.", "to be filled by oem", "o.e.m.", "oem", "system serial number",
        "serial number", "system product name", "system manufacturer", "system version", "base board serial number",
        "chassis serial number", "not specified", "not available", "not applicable", "not present", "invalid", "empty",
        "no asset tag", "asset tag", "no serial", "no serial number", "test", "xxx", "serial", "unspecified", "error",
        "private", "<private>", "removed", "<removed>", "redacted", "hidden", "bad index", "manufacturer", "model",
        "123456789", "1234567890", "0123456789", "012345678", "12345678", "1234567", "123456", "12345", "1234",
        "abcdefgh", "deadbeef", "<empty>", "noserialnumber", "no value", "-", "--", "..", "?",
    }
)  # fmt: skip


def is_placeholder(value: str) -> bool:
    """Return True if a value says nothing: empty, a word for nothing, one repeated character."""
    plain = value.strip().strip("\"'").strip().casefold()
    return plain in _WORDS or _signs(plain) <= {"0"} or (plain[:1] in "x#*?" and _one(plain))


def _signs(text: str) -> set[str]:
    """Return the characters of a text other than separators."""
    return set(re.sub(r"[\s.:_/-]", "", text.casefold()))


def _one(text: str) -> bool:
    return len(_signs(text)) < 2


def is_serial(value: str) -> bool:
    """Return True if a value can be a serial number: at least three characters, one of them a digit."""
    plain = value.strip()
    return (
        3 <= len(plain) <= 64
        and not is_placeholder(plain)
        and not _one(plain)
        and any(character.isdigit() for character in plain)
        and re.fullmatch(r"[\w./:+ #()-]+", plain, re.ASCII) is not None
    )


def repeated(serials: Iterable[str]) -> set[str]:
    """Return the serial numbers that several devices have: asset tags and copies, no identity."""
    return {serial for serial, count in Counter(serials).items() if count > 1}
