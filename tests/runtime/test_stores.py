"""Where the store of each controller is."""

from __future__ import annotations

import pytest

from pdsno_cli.lint.engine import require
from pdsno_cli.model.errors import OperationError
from pdsno_cli.runtime.state_dir import StateDir
from pdsno_cli.runtime.stores import database_of

TEXT = """\
name: zone-a
regions: {r: {}}
controllers:
  gc: {role: global, nib: "postgresql+psycopg://u:${STORE_PASSWORD}@h/d"}
  rc: {role: regional, region: r}
  lc: {role: local, region: r, nib: "file:nib.url", discovery: {targets: 127.66.0.1}}
"""


@pytest.fixture
def site(tmp_path):
    (tmp_path / "site.yaml").write_text(TEXT)
    return require(str(tmp_path / "site.yaml")), StateDir(tmp_path / "state")


def test_a_store_is_a_file_of_the_state_directory_unless_nib_names_a_database(
    site, tmp_path, monkeypatch
):
    monkeypatch.setenv("STORE_PASSWORD", "p@ss")
    (tmp_path / "nib.url").write_text("postgresql+psycopg://other/d\n")
    names = [database_of(*site, controller_id).name for controller_id in ("rc", "gc", "lc")]
    assert names == [
        str(tmp_path / "state" / "stores" / "rc.db"),
        "the store zone-a/gc in postgresql://u@h/d",
        "the store zone-a/lc in postgresql://other/d",
    ]


def test_a_secret_that_is_missing_is_named(site, monkeypatch):
    monkeypatch.delenv("STORE_PASSWORD", raising=False)
    with pytest.raises(OperationError, match="STORE_PASSWORD is not set"):
        database_of(*site, "gc")
