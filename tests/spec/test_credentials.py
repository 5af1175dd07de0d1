"""The secrets of SNMP credentials."""

from __future__ import annotations

import pytest

from pdsno_cli.model.errors import OperationError
from pdsno_cli.spec.credentials import resolve_snmp, snmp_secrets
from pdsno_cli.spec.topology import Credential, Snmp, SnmpKey

USER = Credential(
    user="monitor",
    auth=SnmpKey(protocol="sha256", password="${SNMP_AUTH}"),
    privacy=SnmpKey(protocol="aes", password="file:privacy.key"),
)


def test_every_secret_in_use_is_found_and_resolved(tmp_path, monkeypatch):
    (tmp_path / "privacy.key").write_text("private-88\n")
    monkeypatch.setenv("SNMP_AUTH", "authentic-8")
    monkeypatch.setenv("SNMP_COMMUNITY", "c0mmunity")
    snmp = Snmp(credentials=(USER, Credential(community="${SNMP_COMMUNITY}")))
    assert list(snmp_secrets(snmp)) == ["${SNMP_AUTH}", "file:privacy.key", "${SNMP_COMMUNITY}"]
    resolved = resolve_snmp(snmp, base=tmp_path)
    assert list(snmp_secrets(resolved)) == ["authentic-8", "private-88", "c0mmunity"]
    assert resolved.credentials[0].auth.protocol == "sha256"


def test_community_alone_is_resolved(monkeypatch, tmp_path):
    monkeypatch.setenv("SNMP_COMMUNITY", "c0mmunity")
    assert resolve_snmp(Snmp(community="${SNMP_COMMUNITY}"), base=tmp_path).communities == (
        "c0mmunity",
    )


def test_missing_and_short_secrets_are_one_line_each(tmp_path, monkeypatch):
    monkeypatch.delenv("SNMP_AUTH", raising=False)
    with pytest.raises(OperationError, match="the environment variable SNMP_AUTH is not set"):
        resolve_snmp(Snmp(credentials=(USER,)), base=tmp_path)
    monkeypatch.setenv("SNMP_AUTH", "short")
    (tmp_path / "privacy.key").write_text("private-88")
    with pytest.raises(OperationError, match="user 'monitor' is shorter than 8 characters"):
        resolve_snmp(Snmp(credentials=(USER,)), base=tmp_path)
