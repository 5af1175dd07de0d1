"""Logs as a process of a run writes them: printable, bounded, in UTC."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from pdsno_cli.runtime.logs import FILE_LIMIT, LONGEST

LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z [A-Z]+ ")
HEAD = """\
import faulthandler, logging, os, signal, sys
from pathlib import Path
from pdsno_cli.model.log_limits import throttled
from pdsno_cli.runtime import logs
path = Path(sys.argv[1])
logs.log_to_file(path, output=True)
log = logging.getLogger("pdsno_cli.somewhere")
"""


@pytest.fixture
def written(tmp_path):
    """Return a function that runs code in a process that logs, and returns what it wrote."""
    path = tmp_path / "lc1.log"

    def run(code):
        subprocess.run(
            [sys.executable, "-W", "error", "-c", HEAD + code, str(path)], check=True, timeout=60
        )
        return path.read_text()

    return run


def sizes(folder):
    return {path.name: path.stat().st_size for path in folder.iterdir()}


def test_record_is_one_line_with_a_time_whatever_it_holds(written):
    text = written(r"log.warning('on %s: %s', 'a\nb\x1b[31m\u202e', '2026 ERROR forged\r\n\x07')")
    assert len(text.splitlines()) == 1
    assert LINE.match(text)
    assert r"on a\nb\x1b[31m\u202e: 2026 ERROR forged\r\n\x07" in text


def test_traceback_is_indented_so_that_no_line_of_it_can_pass_for_a_record(written):
    text = written(
        "try:\n    raise ValueError('bad\\n2026-01-01T00:00:00.000Z INFO forged \\x1b[2J')\n"
        "except ValueError:\n    log.exception('failed')\n"
    )
    first, *others = text.splitlines()
    assert LINE.match(first)
    assert all(line.startswith("  ") for line in others)
    assert "ValueError: bad" in text
    assert "\x1b" not in text


def test_long_record_is_cut(written):
    text = written("log.warning('x' * 10_000_000)")
    assert len(text) < LONGEST + 100
    assert "(9998000 characters more)" in text


def test_file_is_begun_anew_at_its_limit_and_the_one_before_kept(written, tmp_path):
    written("for number in range(60_000): log.info(f'line {number} ' + 'x' * 50)")
    assert sizes(tmp_path).keys() == {"lc1.log", "lc1.log.1"}
    assert sum(sizes(tmp_path).values()) <= 2 * FILE_LIMIT
    assert "line 59999 " in (tmp_path / "lc1.log").read_text()


def test_other_output_of_the_process_goes_to_the_newest_file(written, tmp_path):
    text = written(
        "for number in range(9_000): log.info(f'line {number} ' + 'x' * 50)\n"
        "print('by print', flush=True)\nos.write(2, b'by a library\\n')\n"
        "os.kill(os.getpid(), signal.SIGUSR1)\n"
    )
    assert "lc1.log.1" in sizes(tmp_path)
    assert "by print" in text
    assert "by a library" in text
    assert 'File "<string>", line' in text


def test_what_strangers_cause_is_told_once_a_minute_and_kind(written):
    text = written(
        "for number in range(1000):\n"
        "    log.warning('refused on %s', number, extra=throttled('altered'))\n"
        "    log.warning('refused on %s', number, extra=throttled('unsigned'))\n"
        "    log.warning('another %s', number, extra=throttled())\n"
        "    logging.getLogger('somelibrary').error('out of descriptors')\n"
    )
    assert sorted(line.split("Z ")[1] for line in text.splitlines()) == [
        "ERROR out of descriptors",
        "WARNING another 0",
        "WARNING refused on 0",
        "WARNING refused on 0",
    ]


def test_uncaught_error_of_a_thread_is_a_record(written):
    text = written(
        "import threading\nthread = threading.Thread(target=lambda: 1 / 0, name='sweep')\n"
        "thread.start(); thread.join()\n"
    )
    assert LINE.match(text)
    assert "thread sweep ended by" in text.splitlines()[0]
    assert text.rstrip().endswith("ZeroDivisionError: division by zero")
