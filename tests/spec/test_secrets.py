"""Secrets that are resolved at use."""

from __future__ import annotations

import os

import pytest

from pdsno_cli.model.errors import OperationError
from pdsno_cli.spec.secrets import resolve, resolve_url


def test_secret_is_read_at_use(tmp_path, monkeypatch):
    monkeypatch.setenv("WORD", "file:/etc/passwd")
    monkeypatch.setenv("BYTES", os.fsdecode(b"caf\xe9"))
    monkeypatch.delenv("GONE", raising=False)
    (tmp_path / "key").write_text("s3cret\n\n")
    (tmp_path / "bytes").write_bytes(b"\xff")
    os.mkfifo(tmp_path / "fifo")
    assert resolve("file:key", base=tmp_path) == "s3cret"
    assert resolve("${WORD}", base=tmp_path) == "file:/etc/passwd"
    assert resolve("${GONE:-x}y", base=tmp_path) == "xy"
    for text in (
        "${GONE}",
        "file:gone",
        "file:bytes",
        "file:fifo",
        "file:${GONE}",
        "${1}",
        "${BYTES}",
    ):
        with pytest.raises(OperationError) as caught:
            resolve(text, base=tmp_path)
        assert "\n" not in str(caught.value)
        assert text in str(caught.value)


def test_variables_of_a_url_are_escaped_where_they_are_the_user_or_the_password(
    tmp_path, monkeypatch
):
    for name, value in (("PASSWORD", "p@:/?#é"), ("WHERE", "h:5432/d?a=b"), ("URL", "x://u:p@h/d")):
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("BYTES", os.fsdecode(b"\xff"))
    monkeypatch.delenv("GONE", raising=False)
    (tmp_path / "u@rl").write_text("x://${PASSWORD}@h\n")
    for text, expected in (
        ("x://u:${PASSWORD}@${WHERE}", "x://u:p%40%3A%2F%3F%23%C3%A9@h:5432/d?a=b"),
        ("x://${BYTES}@h", "x://%FF@h"),
        ("${URL}", "x://u:p@h/d"),
        ("file:u@rl", "x://${PASSWORD}@h"),
        ("x://u:${GONE:-p%40}@h", "x://u:p%40@h"),
    ):
        assert resolve_url(text, base=tmp_path) == expected
    with pytest.raises(OperationError, match="GONE is not set"):
        resolve_url("x://u:${GONE}@h", base=tmp_path)


def test_large_file_is_no_secret(tmp_path):
    (tmp_path / "key").write_text("x" * 65_537)
    with pytest.raises(OperationError, match="larger than 64 KiB"):
        resolve("file:key", base=tmp_path)
