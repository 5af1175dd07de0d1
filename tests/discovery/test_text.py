"""Text from agents, whatever its encoding."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdsno_cli.discovery.text import clean_text


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (b"", None),
        (b" \r\n\0", None),
        (b"Cisco IOS\r\nCopyright", "Cisco IOS Copyright"),
        ("Büro".encode(), "Büro"),
        ("Büro".encode("latin-1"), "Büro"),
        (b"\x1b[31mred\x1b[0m", "[31mred [0m"),
        ("a\u202eb".encode(), "a b"),
    ],
)
def test_clean_text(octets, text):
    assert clean_text(octets, 100) == text


@given(st.binary(max_size=400), st.integers(1, 300))
def test_clean_text_prints_and_keeps_to_its_limit(octets, limit):
    text = clean_text(octets, limit)
    assert text is None or (text.isprintable() and 0 < len(text) <= limit)
