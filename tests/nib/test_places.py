"""Which database a path or a URL names."""

from __future__ import annotations

from pathlib import Path

import pytest

from pdsno_cli.model.errors import UsageError
from pdsno_cli.model.stores import STORES
from pdsno_cli.nib.places import find
from pdsno_cli.nib.sqlite import Sqlite


@pytest.mark.parametrize(
    ("place", "name"),
    [
        (":memory:", ":memory:"),
        ("a/b.db", "a/b.db"),
        (Path("/a/b.db"), "/a/b.db"),
        ("sqlite:///a/b.db", "a/b.db"),
        ("sqlite:////a/b.db", "/a/b.db"),
    ],
)
def test_paths_and_sqlite_urls_are_files(place, name):
    database = find(place)
    assert isinstance(database, Sqlite)
    assert database.name == name
    assert find(database) is database


@pytest.mark.parametrize("facts", STORES, ids=lambda facts: facts.scheme)
def test_the_example_of_each_scheme_can_be_read(facts):
    assert "zone-a/rc" in find(facts.example, "zone-a/rc").name


def test_an_unknown_scheme_is_refused_with_those_that_are_known():
    with pytest.raises(UsageError, match=r"'mysql' is not .* \(known: postgresql\+psycopg://\)"):
        find("mysql://u:secret@h/d")
