"""Paths in a topology file, read by a run that was started somewhere else."""

from __future__ import annotations

import subprocess

import pytest

from tests.certificates import make_certificates

from .conftest import PDSNO, until
from .test_mosquitto import Mosquitto


@pytest.fixture
def guarded(tmp_path, free_port):
    """A Mosquitto that speaks TLS and wants a client's certificate."""
    folder = tmp_path / "broker"
    (tmp_path / "pki").mkdir()
    folder.mkdir()
    make_certificates(tmp_path / "pki")
    broker = Mosquitto(
        folder,
        free_port,
        "allow_anonymous true",
        f"cafile {tmp_path}/pki/ca.pem",
        f"certfile {tmp_path}/pki/server.pem",
        f"keyfile {tmp_path}/pki/server.key",
        "require_certificate true",
    )
    until(broker.answers, "Mosquitto's start")
    yield broker
    broker.end()


def test_certificates_and_secrets_beside_the_file_are_found_from_anywhere(site, guarded):
    (site.folder / "pki" / "signing").write_text("k" * 40)
    tls = "{ca: pki/ca.pem, cert: pki/client.pem, key: pki/client.key}"
    site.write(
        broker=f"{{host: localhost, port: {guarded.port}, tls: {tls}}}",
        extra="signing_key: file:pki/signing",
    )
    done = subprocess.run(
        [PDSNO, "up", str(site.file), "--state-dir", str(site.state), "--cycles", "1"],
        cwd="/",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
