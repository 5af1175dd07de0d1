"""Configuration files: what they choose, which one is taken, and where a mistake is."""

from __future__ import annotations

import pytest

from pdsno_cli.lint import settings
from pdsno_cli.lint.settings import read, settings_of
from pdsno_cli.model.diagnostics import Severity
from pdsno_cli.model.errors import UsageError


@pytest.fixture(autouse=True)
def _forget():
    settings.forget()
    yield
    settings.forget()


def configured(tmp_path, text, name="pyproject.toml"):
    (tmp_path / name).write_text(text)
    return read(tmp_path / name)


@pytest.mark.parametrize(
    ("text", "code", "selected"),
    [
        ("", "PDS221", True),
        ('select = ["PDS2"]', "PDS221", True),
        ('select = ["PDS2"]', "PDS101", False),
        ('select = ["PDS2"]', "PDS001", True),
        ('ignore = ["PDS221"]', "PDS221", False),
        ('ignore = ["PDS2"]\nselect = ["PDS221"]', "PDS221", True),
        ('ignore = ["PDS2"]\nselect = ["ALL", "PDS221"]', "PDS220", False),
        ('ignore = ["PDS221"]\nselect = ["PDS221"]', "PDS221", False),
        ('ignore = ["ALL"]', "PDS221", False),
    ],
)
def test_longest_code_decides(tmp_path, text, code, selected):
    found = configured(tmp_path, f"[tool.pdsno]\n{text}\n")
    choice = found.of("t.yaml") if found else settings.Choice()
    assert choice.selects(code) is selected


def test_severity_and_patterns_add_up(tmp_path):
    found = configured(
        tmp_path,
        'severity = {PDS2 = "error", PDS221 = "warning"}\n'
        '[per-file."lab/*.yaml"]\nignore = ["PDS101"]\nseverity = {PDS221 = "error"}\n'
        '[per-file."small.yaml"]\nignore = ["PDS102"]\n',
        ".pdsno.toml",
    )
    lab, small = found.of(str(tmp_path / "lab/a.yaml")), found.of(str(tmp_path / "lab/small.yaml"))
    other = found.of(str(tmp_path / "other.yaml"))
    assert other.level("PDS220", Severity.WARNING) is Severity.ERROR
    assert other.level("PDS221", Severity.ERROR) is Severity.WARNING
    assert other.level("PDS001", Severity.ERROR) is Severity.ERROR
    assert lab.level("PDS221", Severity.WARNING) is Severity.ERROR
    assert [lab.selects(code) for code in ("PDS101", "PDS102")] == [False, True]
    assert [small.selects(code) for code in ("PDS101", "PDS102")] == [False, False]
    assert other.selects("PDS101")


def test_nearest_file_upwards_is_taken_and_one_without_a_section_passed_over(tmp_path):
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text('[tool.pdsno]\nignore = ["PDS221"]\n')
    (tmp_path / "a" / "pyproject.toml").write_text('[tool.other]\nx = "pdsno"\n')
    assert settings_of(inner / "t.yaml").choice.ignore == ("PDS221",)
    settings.forget()
    (inner / ".pdsno.toml").write_text('ignore = ["PDS101"]\n')
    (inner / "pyproject.toml").write_text('[tool.pdsno]\nignore = ["PDS102"]\n')
    assert settings_of(inner / "t.yaml").choice.ignore == ("PDS101",)
    assert settings_of(tmp_path / "t.yaml").choice.ignore == ("PDS221",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[tool.pdsno\n", "1:12: not valid TOML"),
        ("[tool.pdsno]\nx = \n", "2:5: not valid TOML"),
        ("[tool]\npdsno = 1\n", "2:1: tool.pdsno takes a table"),
        ("[tool.pdsno]\n\nselct = []\n", "3:1: unknown key 'selct': did you mean 'select'?"),
        ("[tool.pdsno]\nselect = 'PDS2'\n", '2:1: select takes a list of codes, as in ["PDS221"]'),
        (
            "[tool.pdsno]\nignore = [\n  'PDS101',\n  'PDS999',\n]\n",
            "4:3: unknown code 'PDS999': did you mean 'PDS",
        ),
        (
            '[tool.pdsno]\nignore = ["PDS001"]\n',
            "2:11: PDS001 cannot be ignored or lowered: nothing else of such a file is checked",
        ),
        (
            '[tool]\npdsno.severity = {PDS221 = "error", PDS220 = "eror"}\n',
            "2:37: PDS220 cannot be 'eror': did you mean 'error'?",
        ),
        (
            '[tool.pdsno.severity]\nPDS221 = "error"\nPDS220 = 3\n',
            "3:1: PDS220 cannot be 3: one of: error, warning",
        ),
        ('[tool.pdsno]\nper-file = ["a"]\n', "2:1: per-file takes tables by pattern"),
        (
            '[tool.pdsno.per-file."lab/*.yaml"]\nignor = []\n',
            "2:1: unknown key 'ignor': did you mean 'ignore'?",
        ),
        (
            "[tool.pdsno.per-file]\n'a.yaml' = ['PDS221']\n",
            '2:1: a.yaml takes a table, as in {ignore = ["PDS221"]}',
        ),
        (
            "[tool.pdsno.per-file]\n'a.yaml' = {ignore = ['PDX']}\n",
            "2:23: unknown code 'PDX': ",
        ),
    ],
)
def test_mistake_is_one_line_with_its_place(tmp_path, text, message):
    with pytest.raises(UsageError) as caught:
        configured(tmp_path, text)
    assert str(caught.value).startswith(f"{tmp_path / 'pyproject.toml'}:{message}")


def test_file_that_does_not_mention_pdsno_is_not_judged(tmp_path):
    assert configured(tmp_path, "[[[") is None
    assert configured(tmp_path, "[tool.other]\n") is None
