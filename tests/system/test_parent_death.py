from __future__ import annotations

import subprocess
import sys

import pytest

from pdsno_cli.system import parent_death

CHILD = """
import os, signal, sys, time
from pdsno_cli.system.parent_death import exit_with_parent
exit_with_parent({parent}, signal.SIGKILL)
print("tied", flush=True)
time.sleep(60)
"""
PARENT = """
import subprocess, sys, os
code = {child!r}.format(parent=os.getpid())
process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE)
sys.stdin.read()
os._exit(0)
"""


def test_a_process_ends_with_its_parent():
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT.format(child=CHILD)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert parent.stdout.readline() == b"tied\n"
    parent.stdin.close()
    assert parent.wait(10) == 0
    assert parent.stdout.read() == b""  # the child held it open until it ended
    parent.stdout.close()


@pytest.mark.skipif(not parent_death.SUPPORTED, reason="needs PR_SET_PDEATHSIG")
def test_a_process_whose_parent_has_ended_already_exits():
    code = CHILD.format(parent=1)  # another process than its parent
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, timeout=30, check=False
    )
    assert (done.returncode, done.stdout) == (0, b"")
