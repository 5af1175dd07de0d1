from __future__ import annotations

from pathlib import Path

import pytest

from pdsno_cli.cli.which import file_first


@pytest.mark.parametrize(
    ("words", "file", "rest"),
    [
        ([], None, []),
        (["lc1"], None, ["lc1"]),
        (["site.yaml"], "site.yaml", []),
        (["site.yml", "lc1", "lc2"], "site.yml", ["lc1", "lc2"]),
        (["discovery/#"], None, ["discovery/#"]),
        (["lc1", "site.yaml"], None, ["lc1", "site.yaml"]),
    ],
)
def test_file_first_takes_what_looks_like_a_topology(words, file, rest):
    assert file_first(words) == (None if file is None else Path(file), rest)


def test_file_first_takes_what_is_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("topology").write_text("")
    assert file_first(["topology", "lc1"]) == (Path("topology"), ["lc1"])
