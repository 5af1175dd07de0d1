"""The session of docs/apply.md is run as it stands; `PDSNO_UPDATE_GOLDEN=1` rewrites it."""

from __future__ import annotations

import os
import re

import pytest

from .test_operations import ROOT, SESSION, VARIABLE, run

PAGE = ROOT / "docs" / "apply.md"
TOKEN = re.compile(r"^token: [0-9a-f]{16}$", re.MULTILINE)


def plain(text: str) -> str:
    return TOKEN.sub("token: #", VARIABLE.sub("#", text))


@pytest.mark.usefixtures("zone_a")
def test_session_prints_what_the_page_shows(tmp_path):
    (shown,) = SESSION.findall(PAGE.read_text())
    printed = ""
    try:
        for command in re.findall(r"^\$ (.*)$", shown, re.MULTILINE):
            printed += f"$ {command}\n{run(command, tmp_path)}"
    finally:
        run("pdsno down topologies/zone-a.yaml", tmp_path)
    if os.environ.get("PDSNO_UPDATE_GOLDEN"):
        PAGE.write_text(PAGE.read_text().replace(shown, printed))
    else:
        assert plain(printed) == plain(shown)
        assert max(map(len, printed.splitlines())) <= 80
