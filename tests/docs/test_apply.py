"""The session of docs/apply.md is run as it stands; `PDSNO_UPDATE_GOLDEN=1` rewrites it."""

from __future__ import annotations

import re

import pytest

from tests.docs.sessions import ROOT, VARIABLE, play, rewrites, sessions

PAGE = ROOT / "docs" / "apply.md"
TOKEN = re.compile(r"^token: [0-9a-f]{16}$", re.MULTILINE)


def plain(text: str) -> str:
    return TOKEN.sub("token: #", VARIABLE.sub("#", text))


@pytest.mark.usefixtures("zone_a")
def test_session_prints_what_the_page_shows(tmp_path):
    (shown,) = sessions(PAGE)
    printed = play(shown, tmp_path)
    if not rewrites(PAGE, shown, printed):
        assert plain(printed) == plain(shown)
        assert max(map(len, printed.splitlines())) <= 80
