"""Declarations of inherited settings."""

from __future__ import annotations

from pdsno_cli.lint.declared import declared
from pdsno_cli.spec.load import load

TEXT = """\
name: n
defaults:
  discovery: {snmp: {community: a}}
  roles: {local: {discovery: {snmp: {community: b}}}}
regions: {r: {discovery: {snmp: {community: c}}}, s: {}}
controllers:
  g: {role: global}
  l: {role: local, region: r, discovery: {targets: 10.0.0.1, snmp: {community: d}}}
  m: {role: local, region: s, discovery: {targets: 10.0.0.2}}
"""


def test_each_declaration_comes_once_with_its_path(tmp_path):
    file = tmp_path / "t.yaml"
    file.write_text(TEXT)
    tail = ("discovery", "snmp", "community")
    assert list(declared(load(file).document, *tail)) == [
        (("defaults", *tail), "a"),
        (("defaults", "roles", "local", *tail), "b"),
        (("regions", "r", *tail), "c"),
        (("controllers", "l", *tail), "d"),
    ]
