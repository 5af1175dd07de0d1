"""Reads text as agents send it, whatever its encoding, so that it can be stored and shown."""

from __future__ import annotations

NAME_CHARACTERS = 255  # DisplayString of RFC 2579
DESCRIPTION_CHARACTERS = 1024  # agents exceed the 255 that RFC 3418 gives sysDescr


def clean_text(octets: bytes, limit: int) -> str | None:
    """Return printable text of at most ``limit`` characters, None when nothing is left.

    UTF-8, or else Latin-1, which cannot fail. What does not print (line ends, escape sequences,
    bidirectional marks) becomes a space and spaces are not repeated: a terminal is safe with it.
    """
    try:
        text = octets.decode()
    except UnicodeDecodeError:
        text = octets.decode("latin-1")
    printable = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(printable.split())[:limit].rstrip() or None
