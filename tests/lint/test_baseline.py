"""Baselines: known findings are accepted, new and stale ones are not."""

from __future__ import annotations

import json

import pytest

from pdsno_cli.lint.baseline import read, write
from pdsno_cli.lint.engine import check
from pdsno_cli.lint.fingerprints import fingerprints
from pdsno_cli.model.errors import UsageError

HEAD = "name: n\nregions: {r: {}}\ncontrollers:\n  gc: {role: global}\n  rc: {role: regional, region: r}\n"
IDLE = "  l{}: {{role: local, region: r}}\n"


def found(path, text):
    path.write_text(text)
    return check(path).diagnostics


@pytest.fixture
def file(tmp_path):
    return tmp_path / "sub" / "t.yaml"


@pytest.fixture
def baseline(tmp_path, file):
    file.parent.mkdir()
    write(tmp_path / "b.json", found(file, HEAD + IDLE.format(1)))
    return tmp_path / "b.json"


def test_finding_is_known_where_it_was_written_and_after_its_line_has_moved(file, baseline):
    for text in (HEAD + IDLE.format(1), "# new\n\n" + HEAD + "# new\n" + IDLE.format(1)):
        assert read(baseline).compare(found(file, text), [str(file)]) == ([], 1)


def test_new_finding_is_left(file, baseline):
    left, accepted = read(baseline).compare(
        found(file, HEAD + IDLE.format(1) + IDLE.format(2)), [str(file)]
    )
    assert [item.line for item in left] == [7]
    assert accepted == 1


def test_stale_entry_is_a_finding_at_its_line(file, baseline):
    (stale,), accepted = read(baseline).compare(found(file, HEAD), [str(file)])
    assert (stale.path, stale.code, stale.line, accepted) == (str(baseline), "PDS903", 4, 0)
    line = baseline.read_text().splitlines()[stale.line - 1]
    assert json.loads(line[stale.column - 1 : stale.end_column - 1]) in line
    assert stale.message.startswith("sub/t.yaml no longer has this PDS220: ")


def test_entry_of_a_file_that_was_not_checked_is_stale_only_if_that_is_gone(file, baseline):
    assert read(baseline).compare([], []) == ([], 0)
    file.unlink()
    (stale,), _ = read(baseline).compare([], [])
    assert stale.code == "PDS903"


def test_fingerprints_are_unique_and_hold_no_line_numbers(file, baseline):
    twice = "name: n\nname: n\nname: n\ncontrollers: {g: {role: global}}\n"
    first, second = found(file, twice), found(file, "\n\n" + twice)
    assert [item.line for item in first] != [item.line for item in second]
    assert fingerprints(first) == fingerprints(second)
    assert len(set(fingerprints(first))) == len(first) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "No such file or directory; --write-baseline makes it"),
        ("{", ":1:2: not valid JSON; make it again with --write-baseline"),
        ("[" * 100_000, ":1:1: not valid JSON; make it again with --write-baseline"),
        ("[]", ":1:1: not a baseline of format_version 1; "),
        ('{"format_version": 1, "findings": [{}]}', ":1:1: 'findings' is not a list of findings; "),
    ],
)
def test_invalid_baseline_is_one_line(tmp_path, text, message):
    path = tmp_path / "b.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(UsageError) as caught:
        read(path)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
