from __future__ import annotations

import pytest

from tests.faults.arena import FULL, SEED, Arena
from tests.faults.results import record_run


@pytest.fixture(scope="session", autouse=True)
def _recorded_run():
    record_run(full=FULL, seed=SEED)


@pytest.fixture
def arena(tmp_path, free_port):
    made = []

    def make(kind, **kwargs):
        made.append(Arena(tmp_path, free_port, kind, **kwargs))
        return made[-1]

    yield make
    for item in made:
        item.close()
