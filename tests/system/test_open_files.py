from __future__ import annotations

import json
import subprocess
import sys


def limited(soft, hard, code):
    """Run code in a process with these limits; return the JSON that it prints."""
    head = (
        "import json, resource\n"
        f"resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))\n"
        "from pdsno_cli.system.open_files import allow_open_files, open_files_allowed\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", head + code], capture_output=True, check=True, timeout=60
    )
    return json.loads(done.stdout)


def test_the_limit_is_raised_up_to_the_hard_one():
    code = "print(json.dumps([allow_open_files(n) for n in (100, 200, 400)]))"
    assert limited(150, 300, code) == [150, 200, 300]


def test_the_limit_that_is_allowed_is_the_soft_one():
    assert limited(150, 300, "print(open_files_allowed())") == 150
