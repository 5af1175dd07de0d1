"""The lines that the embedded broker's process writes of its library's log."""

from __future__ import annotations

import subprocess
import sys

CODE = """\
import logging
from pdsno_cli.broker import warnings
warnings.to_stderr()
log = logging.getLogger("rumqttd.server")
for number in range(2000):
    log.error("[>] remote_link; client_id=%d", number)
    log.error("Error = Recv(Disconnected)")
    log.error("Client %s sends \\x1b[31mwhat\\nit %s", number, number)
    log.error("Client %s is odd" % "abcdefghij"[number % 10:] * (1 + number % 97))
log.error("x" * 100_000)
"""


def test_flood_by_clients_is_few_short_lines_without_anything_a_terminal_acts_upon():
    done = subprocess.run(
        [sys.executable, "-c", CODE], capture_output=True, text=True, timeout=60, check=True
    )
    lines = done.stderr.splitlines()
    assert r"Client 0 sends \x1b[31mwhat\nit 0" in lines
    assert len(lines) <= 70
    assert max(map(len, lines)) <= 500
    assert not [line for line in lines if "remote_link" in line or "Disconnected" in line]
