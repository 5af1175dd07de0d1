"""A store to try things out on."""

from __future__ import annotations

import pytest

from pdsno_cli.nib.store import Store


@pytest.fixture
def path(tmp_path):
    return tmp_path / "store.db"


@pytest.fixture
def store(path):
    with Store.open(path) as opened:
        yield opened
