"""docs/map.md: its session prints what the page says."""

from __future__ import annotations

from pathlib import Path

from tests.docs.sessions import ROOT, VARIABLE, play, rewrites, sessions

PAGE = ROOT / "docs" / "map.md"


def test_the_session_prints_what_the_page_says(tmp_path: Path, zone_a):
    (session,) = sessions(PAGE)
    printed = play(session, tmp_path)
    if not rewrites(PAGE, session, printed):
        assert VARIABLE.sub("…", printed) == VARIABLE.sub("…", session)
