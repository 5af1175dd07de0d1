from __future__ import annotations

import yaml

from pdsno_cli.cli.policy_show import _json, _text
from pdsno_cli.model.messages import PolicyDocument
from pdsno_cli.nib.rows import PolicyRecord

DOCUMENT = PolicyDocument(
    scope="r1", version=7, scan_interval=90.0, protocols=("icmp",), targets={"lc1": ("127.0.0.1",)}
)
KEYS = {"scan_interval": "90s", "protocols": ["icmp"], "targets": {"lc1": ["127.0.0.1"]}}


def record(document=DOCUMENT, replaced=None):
    return PolicyRecord(document=document, since=0.0, instead_of=replaced)


def test_text_is_a_policy_file_with_its_origin_as_a_comment():
    text = _text(record(replaced=PolicyDocument(scope="r1", version=0)))
    assert text.startswith("# r1: version 7, applied, since 1970-01-01T00:00:00.000Z\n")
    assert yaml.safe_load(text) == KEYS


def test_text_of_an_empty_policy_is_its_comment():
    text = _text(record(PolicyDocument(scope="global", version=1)))
    assert text == "# global: version 1, from the topology file, since 1970-01-01T00:00:00.000Z\n"


def test_json_has_the_same_keys():
    assert _json(record()) == {
        "scope": "r1",
        "version": 7,
        "origin": "file",
        "since": "1970-01-01T00:00:00.000Z",
        "policy": KEYS,
    }
