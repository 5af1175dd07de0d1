"""Decodes and cleans text that devices send, so that it can be stored and shown."""

from __future__ import annotations

NAME_CHARACTERS = 255  # DisplayString of RFC 2579
DESCRIPTION_CHARACTERS = 1024  # agents exceed the 255 that RFC 3418 gives sysDescr


def clean_text(octets: bytes, limit: int) -> str | None:
    """Return printable text of at most ``limit`` characters, None if nothing is left.

    UTF-8, or else Latin-1, which cannot fail. Unprintable characters (line ends, escape sequences,
    bidirectional marks) become a space, and runs of spaces become one: safe on a terminal.
    """
    try:
        text = octets.decode()
    except UnicodeDecodeError:
        text = octets.decode("latin-1")
    return clean(text, limit)


def clean(text: str, limit: int) -> str | None:
    """Clean decoded ``text`` as ``clean_text`` does."""
    printable = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(printable.split())[:limit].rstrip() or None
