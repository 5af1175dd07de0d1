"""Which Host headers are this server's own (DNS rebinding)."""

from __future__ import annotations

import pytest

from pdsno_cli.web.guard import is_own_host

NAMES = {"localhost", "noc.example"}


@pytest.mark.parametrize(
    "header",
    ["127.0.0.1:8080", "127.0.0.1", "localhost:1", "LOCALHOST", "[::1]:80", "[::1]", "noc.example:8",
     "10.1.2.3:80"],
)  # fmt: skip
def test_an_address_or_a_name_of_the_server_is_its_own(header):
    assert is_own_host(header, NAMES)


@pytest.mark.parametrize(
    "header",
    ["", "evil.example", "evil.example:8080", "127.0.0.1.evil.example", "localhost.evil.example:1",
     "[::1", "[noc.example]", "127.0.0.1:80@evil.example", "noc.example.", "1"],
)  # fmt: skip
def test_any_other_name_is_not(header):
    assert not is_own_host(header, NAMES)
