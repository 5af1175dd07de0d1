"""What a comment hides, and what it cannot."""

from __future__ import annotations

import pytest

from pdsno_cli.lint.engine import check, require
from pdsno_cli.lint.fixing import fix
from pdsno_cli.lint.settings import Choice, Settings
from pdsno_cli.model.errors import InvalidTopologyError

TEXT = """\
name: n
regions: {r: {}}
controllers:
  gc: {role: global}
  rc: {role: regional, region: r}
  lc: {role: local, region: r}
"""


def codes(text, settings=None):
    checked = check("t.yaml", raw=text.encode(), settings=settings)
    return [item.code for item in checked.diagnostics]


def test_ignored_warning_is_hidden_and_the_next_one_is_not():
    more = "  ld: {role: local, region: r}\n"
    ignored = TEXT.replace(
        "region: r}\n  lc: {role: local, region: r}",
        "region: r}\n  lc: {role: local, region: r}  # pdsno: ignore[PDS220] yet",
    )
    assert codes(TEXT) == ["PDS220"]
    assert codes(ignored) == []
    assert codes(ignored + more) == ["PDS220"]


def test_ignored_error_of_a_rule_lets_the_topology_run(tmp_path):
    path = tmp_path / "t.yaml"
    path.write_text(TEXT.replace("lc: {role: local, region: r}", "lc: {role: local, region: q}"))
    found = {item.code for item in check(path).diagnostics}
    assert "PDS201" in found
    listed = ", ".join(sorted(found))
    path.write_text(f"# pdsno: ignore-file[{listed}]\n{path.read_text()}")
    assert check(path).diagnostics == ()
    assert require(path).name == "n"


def test_ignored_error_of_the_schema_is_hidden_but_still_prevents_a_run(tmp_path):
    path = tmp_path / "t.yaml"
    path.write_text(TEXT.replace("role: local", "role: lokal") + "  # pdsno: none\n")
    assert "PDS104" in [item.code for item in check(path).diagnostics]
    path.write_text("# pdsno: ignore-file[PDS104]\n" + path.read_text())
    checked = check(path)
    assert checked.diagnostics == ()
    assert checked.topology is None
    with pytest.raises(InvalidTopologyError) as caught:
        require(path)
    assert [item.code for item in caught.value.diagnostics] == ["PDS104"]


def test_syntax_error_cannot_be_ignored():
    assert codes("# pdsno: ignore-file[PDS001]\nname: [\n") == ["PDS001"]


def test_code_that_settings_leave_out_is_not_an_unused_one():
    text = "# pdsno: ignore-file[PDS210]\n" + TEXT.replace("lc: {role: local", "lc: {role: global")
    settings = Settings(choice=Choice(ignore=("PDS",), select=("PDS901",)))
    assert codes(text, settings) == []
    assert codes(text, Settings(choice=Choice(select=("PDS901", "PDS210")))) == ["PDS901"]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("name: n  # pdsno: ignore[PDS101] why\n", "name: n\n"),
        ("# pdsno: ignore[PDS101]\nname: n\n", "name: n\n"),
        ("name: n\n  # pdsno: ignore[PDS101]\n", "name: n\n"),
        ("name: n\n# pdsno: ignore[PDS101]", "name: n\n"),
        ("name: n # pdsno: ignore[PDS101]\r\n", "name: n\r\n"),
        ("nam: n # pdsno: ignore[PDS105, PDS101] why\n", "nam: n # pdsno: ignore[PDS101] why\n"),
    ],
)
def test_fix_removes_what_is_unused(text, left):
    rest = "controllers: {g: {role: global}}\n"
    end = "" if text.endswith("\n") else "\n"
    if not text.startswith("na"):
        fixed = fix("t.yaml", (text + end + rest).encode(), Settings()).content.decode()
        assert fixed == left + rest
    else:
        fixed = fix("t.yaml", (rest + text).encode(), Settings()).content.decode()
        assert fixed == rest + left
