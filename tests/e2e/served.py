"""``pdsno web`` as tests start it, and a plane whose devices have interfaces, neighbours and links."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import urllib.error
import urllib.request
from urllib.parse import urlsplit

import pytest

from tests.browser import Browser

from .conftest import PDSNO, WAIT, until


class Served:
    """One ``pdsno web``: its address, and its answers."""

    def __init__(self, site, *words: str, state=None, **env: str) -> None:
        self.process = subprocess.Popen(
            [PDSNO, "web", str(site.file), "--state-dir", str(state or site.state), *words],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "NO_COLOR": "1", **env},
        )  # fmt: skip
        self.url = self.process.stdout.readline().strip()
        found = re.fullmatch(r"http://(\S+)/\?token=([0-9a-f]{32})", self.url)
        assert found, self.process.communicate(timeout=WAIT)
        self.place, self.token = found.groups()

    def get(self, path: str, *, method="GET", token=True, **headers: str):
        """Return status, headers and body of an answer."""
        if token:
            headers["Cookie"] = f"pdsno-web-{urlsplit(self.url).port}={self.token}"
        request = urllib.request.Request(
            f"http://{self.place}{path}", method=method, headers=headers
        )
        try:
            with urllib.request.urlopen(request, timeout=WAIT) as answer:
                return answer.status, answer.headers, answer.read().decode()
        except urllib.error.HTTPError as answer:
            with answer:
                return answer.code, answer.headers, answer.read().decode()

    def document(self, path: str, **words):
        status, _, body = self.get(path, **words)
        assert status == 200, body
        return json.loads(body)

    def end(self, number: int = signal.SIGINT) -> tuple[int, str]:
        """Interrupt it; return its exit code and what it printed to stderr."""
        self.process.send_signal(number)
        _, err = self.process.communicate(timeout=WAIT)
        return self.process.returncode, err


@pytest.fixture
def web(site):
    """Return a function that starts ``pdsno web`` about the site."""
    started: list[Served] = []

    def start(*words: str, **options: str) -> Served:
        started.append(Served(site, *words, **options))
        return started[-1]

    yield start
    for served in started:
        if served.process.poll() is None:
            served.end(signal.SIGTERM)
        served.process.stdout.close()
        served.process.stderr.close()


@pytest.fixture
def browser(tmp_path):
    opened = Browser(tmp_path)
    yield opened
    opened.close()
    assert not opened.errors
    assert not opened.dialogs


@pytest.fixture
def mapped(site):
    """A plane that has read every table of a lab of 24 devices with SNMP."""
    site.write(devices=24, snmp=24, interval="1h", details="{forwarding: true}")
    run = site.up().ready()
    for local in ("lc1", "lc2"):
        run.wait_line(f"{local}: cycle 1 ")
    until(lambda: len(site.devices()) == 24, "all devices at the top")
    return site
