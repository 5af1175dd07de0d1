from __future__ import annotations

import pytest

from pdsno_cli.lint.engine import require
from pdsno_cli.model.errors import OperationError
from pdsno_cli.supervisor import open_files
from pdsno_cli.supervisor.open_files import LEAST, open_files_needed, require_open_files
from tests.conftest import ONE_OF_EACH


@pytest.mark.parametrize(
    ("lab", "processes", "one_process"), [("", 6, 12), ("lab: {devices: 1}\n", 6, 13)]
)
def test_needed_grows_with_controllers_and_the_lab(tmp_path, lab, processes, one_process):
    file = tmp_path / "t.yaml"
    file.write_text(ONE_OF_EACH + lab)
    topology = require(str(file))
    assert open_files_needed(topology, in_process=False) == LEAST + processes
    assert open_files_needed(topology, in_process=True) == LEAST + one_process


def test_a_limit_that_cannot_be_raised_is_an_error_with_the_command_to_type(monkeypatch):
    monkeypatch.setattr(open_files, "allow_open_files", lambda _wanted: 100)
    require_open_files(100)
    with pytest.raises(OperationError, match=r"101 open files are needed .* ulimit -n 101 "):
        require_open_files(101)
