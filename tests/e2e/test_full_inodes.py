"""A disk without a free inode: what has to open its store waits, and goes on once there is one."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from contextlib import contextmanager, suppress

import pytest

from tests.conftest import require, require_root
from tests.e2e.conftest import Site, until


@contextmanager
def filled(folder):
    """Take every inode that there is, and every one that becomes free."""
    over, files = threading.Event(), []

    def fill() -> None:
        while not over.wait(0.001):
            with suppress(OSError):
                while True:
                    file = folder / f"ballast{len(files)}"
                    file.touch()
                    files.append(file)

    thread = threading.Thread(target=fill)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        for file in files:
            file.unlink()


@pytest.fixture
def small(tmp_path, runs):
    """A site whose state is on a file system with room for few files."""
    require_root()
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = [require("mount"), "-t", "tmpfs", "-o", "size=64m,nr_inodes=60", "pdsno-test", folder]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"no tmpfs can be mounted here: {done.stderr.strip()}")
    yield Site(folder, runs)
    for run in runs:
        run.clean_up()
    subprocess.run([require("umount"), "--lazy", str(folder)], check=True)


def test_a_controller_that_cannot_make_its_files_waits_for_room(small):
    small.write(lab=False, interval="1h")
    small.up().ready()
    with filled(small.folder):
        pid = small.row("lc1")["pid"]
        os.kill(pid, signal.SIGTERM)  # a clean end removes what the next start has to make
        log = small.state / "logs" / "lc1.log"
        until(lambda: log.read_text().count("no room for another file") >= 2, "tries")
        # Each try fails for a moment; one that was given up would for ever.
        until(lambda: small.row("lc1")["state"] != "failed", "another try")
    until(lambda: small.status()["well"], "recovery")
