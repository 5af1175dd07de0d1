from __future__ import annotations

import pytest

from pdsno_cli.cli.keys import keys_of


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", []),
        (b"\x1b[A\x1b[B", ["up", "down"]),
        (b"\x1bOA", ["up"]),
        (b"\x1b[5~x\x1b[6~", ["page up", "page down"]),
        (b"jk", ["down", "up"]),
        (b"\x1b[Z\xff\x1b", []),
        (b"\x1b[1~\x1b[4~", ["home", "end"]),
    ],
)
def test_keys_of_finds_known_sequences_in_what_a_terminal_sends(data, expected):
    assert keys_of(data) == expected
