"""Makes what strangers wrote fit for a log line, an event or a table."""

from __future__ import annotations

LONGEST = 200  # characters that are worth showing


def shown(text: str, longest: int = LONGEST) -> str:
    """Return ``text`` on one line, without control characters, cut to ``longest`` characters."""
    cut = text if len(text) <= longest else text[: longest - 1] + "…"
    if cut.isprintable():
        return cut
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in cut)
