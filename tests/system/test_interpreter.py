from __future__ import annotations

import subprocess

from pdsno_cli.system.interpreter import run_module


def test_run_module_does_not_import_from_the_working_directory(tmp_path):
    (tmp_path / "queue.py").write_text("raise SystemExit('imported')\n")
    done = subprocess.run(
        run_module("pdsno_cli", "--version"),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("pdsno ")
