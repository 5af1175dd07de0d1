"""Where the page is served."""

from __future__ import annotations

import contextlib
import socket

import pytest

from pdsno_cli.model.errors import OperationError, UsageError
from pdsno_cli.web.server import listen


@pytest.mark.parametrize(
    ("text", "host", "loopback"),
    [
        ("127.0.0.1:0", "127.0.0.1", True),
        ("localhost:0", "localhost", True),
        ("0.0.0.0:0", socket.gethostname(), False),
    ],
)
def test_the_address_names_host_and_port(text, host, loopback):
    listening = listen(text)
    with contextlib.closing(listening.socket):
        assert listening.url("t") == f"http://{host}:{listening.port}/?token=t"
        assert (listening.host in listening.names, listening.loopback) == (True, loopback)


def test_an_ipv6_address_is_in_brackets():
    try:
        listening = listen("[::1]:0")
    except OperationError as exc:
        pytest.skip(str(exc))
    with contextlib.closing(listening.socket):
        assert listening.url("t") == f"http://[::1]:{listening.port}/?token=t"
        assert listening.loopback


@pytest.mark.parametrize("text", ["", "8080", ":8080", "127.0.0.1", "127.0.0.1:x", "h:70000"])
def test_an_invalid_address_is_one_line(text):
    with pytest.raises(UsageError, match="write HOST:PORT, as in 127"):
        listen(text)


def test_a_host_that_is_not_known_is_one_line():
    with pytest.raises(UsageError, match=r"unknown host 'nowhere\.invalid'"):
        listen("nowhere.invalid:0")


def test_a_port_in_use_is_one_line():
    with contextlib.closing(listen("127.0.0.1:0").socket) as first:
        taken = f"127.0.0.1:{first.getsockname()[1]}"
        with pytest.raises(OperationError, match=f"cannot listen on {taken}: Address already"):
            listen(taken)
