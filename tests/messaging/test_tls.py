from __future__ import annotations

import os

import pytest

from pdsno_cli.messaging.tls import context
from pdsno_cli.model.errors import BrokerError
from pdsno_cli.spec.topology import Tls


@pytest.mark.parametrize("key", ["ca", "cert", "key"])
def test_a_file_that_would_block_is_named(tmp_path, key):
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(BrokerError, match=rf"^tls\.{key} .*/fifo: it is a FIFO, not a file$"):
        context(Tls(**{"ca": None, key: str(tmp_path / "fifo")}))


def test_a_file_that_is_missing_is_named(tmp_path):
    with pytest.raises(BrokerError, match=r"^tls\.ca .*/gone\.pem: No such file or directory$"):
        context(Tls(ca=str(tmp_path / "gone.pem")))


def test_invalid_certificate_file_is_named(tmp_path):
    (tmp_path / "ca.pem").write_text("nothing")
    with pytest.raises(BrokerError, match=r"^tls\.ca .*/ca\.pem: not a PEM file"):
        context(Tls(ca=str(tmp_path / "ca.pem")))
