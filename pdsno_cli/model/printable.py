"""Escapes external text for terminals and logs; every output uses it."""

from __future__ import annotations

LONGEST = 200  # characters shown of external text


def printable(text: str) -> str:
    r"""Return ``text`` on one line and without control characters.

    Line ends, escape sequences, all other control characters and bidirectional marks are written
    as Python writes them in a string: ``\n``, ``\x1b``, ``\u202e``.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def shown(text: str, longest: int = LONGEST) -> str:
    """Return ``text`` printable, cut to ``longest`` characters before that."""
    return printable(text if len(text) <= longest else text[: longest - 1] + "…")


def printable_lines(text: str) -> str:
    """Return ``text`` with each of its lines printable."""
    return "\n".join(map(printable, text.split("\n")))
