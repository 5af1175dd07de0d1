"""Limits on open files: raised where they may be, else one line, whatever the command."""

from __future__ import annotations

import resource
import subprocess

import pytest

from tests.conftest import ONE_OF_EACH

from .conftest import PDSNO, WAIT

COMMANDS = [
    ("validate",), ("topics",), ("up",), ("status",), ("devices",), ("audit",), ("discover",),
    ("tail",), ("down",), ("policy", "show"), ("policy", "status"), ("quarantine", "list"),
    ("fault", "broker"), ("controller", "run"), ("--help",),
]  # fmt: skip


def limited(soft: int, hard: int):
    return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_sixteen_open_files_are_enough_or_one_line(tmp_path, words):
    file = tmp_path / "one.yaml"
    file.write_text(ONE_OF_EACH)
    arguments = [str(file)] if words != ("--help",) else []
    arguments += {"controller": ["lc"], "fault": ["kill"]}.get(words[0], [])
    done = subprocess.run(
        [PDSNO, *words, *arguments],
        preexec_fn=limited(16, 16),
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=WAIT,
        check=False,
    )
    if words[0] in ("validate", "topics", "--help"):
        assert done.returncode == 0, done.stderr
    else:
        assert done.returncode == 1, done.stderr
        assert done.stderr.count("\n") == 1
        assert "open files are needed and 16 are allowed: raise the limit, as with ulimit -n" in (
            done.stderr
        )


def test_up_raises_the_limit_for_itself(site):
    site.write()
    command = [PDSNO, "up", str(site.file), "--state-dir", str(site.state), "--cycles", "1"]
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    done = subprocess.run(
        command, preexec_fn=limited(16, hard), capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_up_of_more_controllers_than_files_names_the_limit_needed(site):
    site.write()
    site.file.write_text(
        site.file.read_text().replace("  lc1:", "  lc_[001:300]: {role: local, region: r1}\n  lc1:")
    )
    done = subprocess.run(
        [PDSNO, "up", str(site.file), "--state-dir", str(site.state)],
        preexec_fn=limited(256, 256), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("error: 672 open files are needed and 256 are allowed")
    assert not site.state.exists()
