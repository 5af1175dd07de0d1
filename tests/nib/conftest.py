"""A store to try things out on, of each kind of database."""

from __future__ import annotations

import uuid

import pytest

from pdsno_cli.nib.places import find
from pdsno_cli.nib.store import Store
from tests.postgres import Postgres


@pytest.fixture
def path(tmp_path):
    return tmp_path / "store.db"


@pytest.fixture(scope="session")
def postgres():
    server = Postgres()
    yield server
    server.close()


@pytest.fixture(scope="session")
def database(postgres):
    """Return the URL of a database that the tests of a session share."""
    return postgres.url(postgres.create_database())


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request):
    """Return a place where no store is yet."""
    if request.param == "sqlite":
        return request.getfixturevalue("path")
    return find(request.getfixturevalue("database"), uuid.uuid4().hex)


@pytest.fixture
def store(place):
    with Store.open(place) as opened:
        yield opened
