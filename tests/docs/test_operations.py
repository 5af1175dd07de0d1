"""The sessions of docs/operations.md are run as they stand, one after the other.

`PDSNO_UPDATE_GOLDEN=1` rewrites them.
"""

from __future__ import annotations

import pytest

from tests.docs.sessions import ROOT, VARIABLE, play, rewrites, sessions

PAGE = ROOT / "docs" / "operations.md"


@pytest.mark.usefixtures("zone_a")
def test_sessions_print_what_the_page_shows(tmp_path):
    for shown in sessions(PAGE):
        printed = play(shown, tmp_path)
        if not rewrites(PAGE, shown, printed):
            assert VARIABLE.sub("#", printed) == VARIABLE.sub("#", shown)
