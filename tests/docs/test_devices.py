"""The sessions of docs/devices.md are run as they stand.

`PDSNO_UPDATE_GOLDEN=1` rewrites them.
"""

from __future__ import annotations

import re

import pytest

from tests.docs.sessions import ROOT, VARIABLE, play, rewrites, sessions

PAGE = ROOT / "docs" / "devices.md"
# Times of day, and uptimes, in the documents of devices.
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z|\buptime +[\d.]+ ?\w+")


def plain(text):
    return MOMENT.sub("#", VARIABLE.sub("#", text))


@pytest.mark.usefixtures("zone_a")
def test_sessions_print_what_the_page_shows(tmp_path):
    for number, shown in enumerate(sessions(PAGE)):
        # A state of its own: devices of a lab that starts again have rebooted, or not quite.
        printed = play(shown, tmp_path / str(number))
        if not rewrites(PAGE, shown, printed):
            assert plain(printed) == plain(shown)
