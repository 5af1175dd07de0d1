"""What failed is a sentence with a status; equal documents have equal hashes, whenever they are read."""

from __future__ import annotations

import json

import pytest

from pdsno_cli.model.errors import OperationError, StateError, UsageError
from pdsno_cli.web.answers import answer


def raising(error):
    def read():
        raise error

    return read


def test_a_file_that_cannot_be_read_is_named():
    found = answer("t", raising(PermissionError(13, "Permission denied", "/s/run.json")))
    assert found.status == 503
    assert json.loads(found.body)["error"] == "/s/run.json: Permission denied"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (UsageError("no device 'x'"), 404),
        (OperationError("no answer of lc"), 503),
        (StateError("g.db is locked"), 503),
    ],
)
def test_an_expected_failure_is_its_sentence(error, status):
    found = answer("t", raising(error))
    document = json.loads(found.body)
    assert (found.status, document["error"], document["topology"]) == (status, str(error), "t")


def test_a_bug_is_logged_and_says_so(caplog):
    found = answer("t", raising(KeyError("x")))
    assert found.status == 500
    assert json.loads(found.body)["error"].startswith("KeyError: 'x'; this is a bug in pdsno")
    assert [record.exc_info is not None for record in caplog.records] == [True]


def test_the_hash_leaves_out_when_it_was_read():
    one, other = (answer("t", lambda: {"a": "\ud800é\u2028"}) for _ in range(2))
    assert one.etag == other.etag != answer("t", lambda: {"a": "b"}).etag
    document = json.loads(one.body)
    assert document == {"format_version": 1, "topology": "t", "read_at": document["read_at"],
                        "a": "\ud800é\u2028"}  # fmt: skip
