from __future__ import annotations

import pytest

from tests.faults.arena import FULL, SEED, Arena
from tests.faults.results import record_run

_FAILED = pytest.StashKey[bool]()


@pytest.fixture(scope="session", autouse=True)
def _recorded_run():
    record_run(full=FULL, seed=SEED)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Leave word of a drill that failed, for whoever ends its processes."""
    report = yield
    if call.when == "call":
        item.stash[_FAILED] = report.failed
    return report


@pytest.fixture
def arena(request, tmp_path, free_port):
    made = []

    def make(kind, **kwargs):
        made.append(Arena(tmp_path, free_port, kind, **kwargs))
        return made[-1]

    yield make
    failed = request.node.stash.get(_FAILED, True)
    for item in made:
        if failed:
            item.dump()
        item.close()
