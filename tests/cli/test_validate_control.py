"""`pdsno validate` under control: settings, baselines, fixes, outputs, watching."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess

import pytest

from pdsno_cli.cli import check_files
from tests.cli.test_validate import BAD, GOOD, PDSNO, WARNS, pdsno


@pytest.fixture
def files(tmp_path):
    for name, text in (("good", GOOD), ("warns", WARNS), ("bad", BAD)):
        (tmp_path / f"{name}.yaml").write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--fail-on", "error", "warns.yaml"], 0),
        (["--fail-on", "warning", "warns.yaml"], 1),
        (["--fail-on", "never", "bad.yaml"], 0),
        (["--exit-zero", "bad.yaml"], 0),
        (["--exit-zero", "gone.yaml"], 2),
        (["--fail-on", "eror", "bad.yaml"], 2),
        (["--ignore", "PDS104", "bad.yaml"], 0),
        (["--select", "PDS2", "bad.yaml"], 0),
        (["--select", "PDS2,PDS1", "bad.yaml"], 1),
        (["--ignore", "PDS001", "bad.yaml"], 2),
        (["--select", "PDX", "bad.yaml"], 2),
        (["--baseline", "gone.json", "bad.yaml"], 2),
        (["--config", "gone.toml", "bad.yaml"], 2),
        (["--format", "json", "--format", "sarif", "bad.yaml"], 2),
        (["--format", "json=", "bad.yaml"], 2),
        (["--format", "json=gone/x.json", "bad.yaml"], 2),
        (["--fix", "-"], 2),
        (["--watch", "-"], 2),
    ],
)
def test_exit_code_by_options(files, words, code):
    done = pdsno("validate", *words, cwd=files)
    assert done.returncode == code, done.stderr
    assert b"Traceback" not in done.stderr
    assert code != 2 or done.stderr.strip()


def test_configuration_decides_and_a_mistake_in_it_is_one_line(files):
    (files / "pyproject.toml").write_text(
        '[tool.pdsno]\nignore = ["PDS104"]\nseverity = {PDS2 = "error"}\n'
    )
    done = pdsno("validate", ".", cwd=files)
    assert (done.returncode, done.stderr) == (1, b"1 error in 3 files\n")
    assert done.stdout.startswith(b"warns.yaml:2:11: error[PDS203]")
    (files / "other.toml").write_text('[tool.pdsno]\nignore = ["PDS"]\n')
    (files / "pyproject.toml").write_text('[tool.pdsno]\nignore = ["PDS1044"]\n')
    done = pdsno("validate", ".", cwd=files)
    assert done.returncode == 2
    assert done.stdout == b""
    assert done.stderr.decode() == (
        "error: pyproject.toml:2:11: unknown code 'PDS1044': did you mean 'PDS104'?\n"
    )


def test_several_formats_are_written_in_one_run(files):
    done = pdsno(
        "validate", "--format", "concise", "--format", "json=a.json", "--format", "sarif=b.sarif",
        "bad.yaml", cwd=files,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stdout.startswith(b"bad.yaml:2:25: error[PDS104]")
    assert json.loads((files / "a.json").read_text())["errors"] == 1
    assert json.loads((files / "b.sarif").read_text())["version"] == "2.1.0"
    done = pdsno("validate", "--format", "junit=c.xml", "bad.yaml", cwd=files)
    assert b"^^^^^" in done.stdout  # stdout is still for people


def test_github_actions_gets_annotations_and_a_summary_unasked(files):
    env = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(files / "summary.md")}
    lines = [f"  g{n}: {{role: globl}}\n" for n in range(13)]
    (files / "bad.yaml").write_text("name: n\ncontrollers:\n" + "".join(lines))
    done = pdsno("validate", "bad.yaml", cwd=files, env=env)
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 14
    assert done.stdout.splitlines()[-1].startswith(b"::notice title=pdsno::3 more findings")
    assert b"3 findings are not shown as annotations\n" in done.stderr
    assert "### pdsno validate: 13 errors in 1 file" in (files / "summary.md").read_text()
    done = pdsno("validate", "--format", "full", "bad.yaml", cwd=files, env=env)
    assert b"::error" not in done.stdout


def test_statistics_count_by_code(files):
    done = pdsno("validate", "--statistics", ".", cwd=files)
    assert done.stdout.decode().splitlines()[0].split() == ["FINDINGS", "CODE", "RULE", "FIXABLE"]
    assert [line.split()[:2] for line in done.stdout.decode().splitlines()[1:]] == [
        ["1", "PDS104"],
        ["1", "PDS203"],
    ]
    document = json.loads(pdsno("validate", "--json", "--statistics", ".", cwd=files).stdout)
    assert document["statistics"][0] == {"code": "PDS104", "name": "no-such-value", "findings": 1}


def test_baseline_accepts_today_and_fails_on_new_and_stale(files):
    done = pdsno("validate", ".", "--baseline", "b.json", "--write-baseline", cwd=files)
    assert (done.returncode, done.stderr) == (0, b"3 files ok, 2 accepted by b.json\n")
    done = pdsno("validate", ".", "--baseline", "b.json", cwd=files)
    assert (done.returncode, done.stdout) == (0, b"")
    (files / "new.yaml").write_text(BAD)
    done = pdsno("validate", ".", "--baseline", "b.json", cwd=files)
    assert done.returncode == 1
    assert done.stdout.startswith(b"new.yaml:2:25: error[PDS104]")
    (files / "new.yaml").unlink()
    (files / "bad.yaml").write_text(GOOD)
    done = pdsno("validate", ".", "--baseline", "b.json", cwd=files)
    assert done.returncode == 1
    assert done.stdout.startswith(b"b.json:4:")
    assert b"error[PDS903] bad.yaml no longer has this PDS104" in done.stdout
    done = pdsno("validate", "warns.yaml", "--baseline", "b.json", cwd=files)
    assert done.returncode == 0  # bad.yaml was not checked


def test_no_baseline_is_written_of_files_that_cannot_be_read(files):
    done = pdsno("validate", "bad.yaml", "gone.yaml", "--write-baseline", cwd=files)
    assert done.returncode == 2
    assert not (files / ".pdsno-baseline.json").exists()


def test_watch_checks_again_after_a_save(files):
    (files / "good.yaml").chmod(0o644)
    child = subprocess.Popen(
        [PDSNO, "validate", "--watch", "--format", "concise", "good.yaml"],
        cwd=files, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    try:
        assert child.stderr.readline() == "1 file ok\n"
        assert child.stderr.readline() == "watching for changes; Ctrl-C ends\n"
        (files / "good.yaml").write_text(BAD + "\n")
        assert child.stdout.readline().startswith("good.yaml:2:25: error[PDS104]")
        assert child.stderr.readline() == "1 error in 1 file\n"
        (files / "pyproject.toml").write_text("[tool.pdsno]\nignore = 1\n")
        assert child.stderr.readline() == "watching for changes; Ctrl-C ends\n"
        assert "pyproject.toml:2:1: ignore takes a list" in child.stderr.readline()
        (files / "pyproject.toml").write_text('[tool.pdsno]\nignore = ["PDS104"]\n')
        assert child.stderr.readline() == "watching for changes; Ctrl-C ends\n"
        assert child.stderr.readline() == "1 file ok\n"
        child.send_signal(signal.SIGINT)
        assert child.wait(10) == 130
    finally:
        child.kill()
        child.communicate()


def test_help_is_quick_to_read_and_names_every_format(files):
    help_ = pdsno("validate", "--help", cwd=files, env={"COLUMNS": "200"}).stdout.decode()
    assert "full, concise, json, jsonl, sarif, github, gitlab or junit" in " ".join(help_.split())


def test_fix_writes_the_file_in_place_and_keeps_its_mode_and_links(files):
    target = files / "rogue.yaml"
    target.write_bytes(b"name: rogue\ncontrollers: {g: {rol: globl}}  # kept\r\n")
    target.chmod(0o640)
    (files / "link.yaml").symlink_to("rogue.yaml")
    done = pdsno("validate", "--fix", "link.yaml", cwd=files)
    assert (done.returncode, done.stdout) == (0, b"")
    assert done.stderr == b"1 file ok, 2 fixes applied\n"
    assert target.read_bytes() == b"name: rogue\ncontrollers: {g: {role: global}}  # kept\r\n"
    assert target.stat().st_mode & 0o777 == 0o640
    assert (files / "link.yaml").is_symlink()
    assert sorted(path.name for path in files.iterdir()) == [
        "bad.yaml", "good.yaml", "link.yaml", "rogue.yaml", "warns.yaml",
    ]  # fmt: skip


def test_diff_is_a_patch_and_changes_nothing(files):
    (files / "rogue.yaml").write_bytes(b"name: rogue\r\ncontrollers: {g: {rol: global}}")
    before = (files / "rogue.yaml").read_bytes()
    done = pdsno("validate", "--diff", "--fix", "good.yaml", "rogue.yaml", "bad.yaml", cwd=files)
    assert done.returncode == 1
    assert done.stderr == b"3 files ok, 2 fixes possible\n"
    assert (files / "rogue.yaml").read_bytes() == before
    patched = subprocess.run(
        ["git", "apply", "-"], cwd=files, input=done.stdout, capture_output=True, check=False
    )
    assert patched.returncode == 0, patched.stderr
    assert (files / "rogue.yaml").read_bytes() == before.replace(b"rol:", b"role:")
    done = pdsno("validate", "--diff", "rogue.yaml", "bad.yaml", cwd=files)
    assert (done.returncode, done.stdout) == (0, b"")


def test_diff_of_standard_input(files):
    done = pdsno("validate", "--diff", "-", cwd=files, stdin=BAD.encode())
    assert done.returncode == 1
    assert b"+controllers: {g: {role: global}}" in done.stdout


def test_file_that_cannot_be_replaced_stays_and_is_one_line(files, monkeypatch):
    def full(*_args, **_options):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(check_files.Path, "replace", full)
    path = str(files / "bad.yaml")
    outcome = check_files.run(check_files.Request(files=[path], fix=True))
    reason = f"cannot write {path}: No space left on device"
    assert outcome.report.unreadable == [(path, reason)]
    assert (files / "bad.yaml").read_text() == BAD
    assert len(list(files.iterdir())) == 3
