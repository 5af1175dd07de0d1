"""Files that a user names."""

from __future__ import annotations

import os
import socket

import pytest

from pdsno_cli.spec.files import read_file


def test_file_is_read_up_to_the_limit(tmp_path):
    (tmp_path / "f").write_bytes(b"12345")
    assert read_file(tmp_path / "f", 3) == b"123"
    assert read_file(tmp_path / "f", 9) == b"12345"


def test_anything_but_a_regular_file_is_refused_without_blocking(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(tmp_path / "socket"))
        for path, kind in (
            (tmp_path, "a directory"),
            (tmp_path / "fifo", "a FIFO"),
            (tmp_path / "socket", "a socket"),
            ("/dev/null", "a device"),
        ):
            with pytest.raises(OSError, match=f"it is {kind}, not a file"):
                read_file(tmp_path / path, 1)
