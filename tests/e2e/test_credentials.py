"""A topology with several SNMP credentials: who answers which, and where their secrets are not."""

from __future__ import annotations

from tests.discovery.conftest import responder
from tests.discovery.snmp.details.switch import SYSTEM
from tests.discovery.snmp.table_agent import TableAgent
from tests.discovery.snmp.test_credentials import AUTH, PRIVACY, debian_agent

COMMUNITY = "c0mmunity-of-old-switches"
CREDENTIALS = """\
credentials:
        - user: strong
          auth: {protocol: sha256, password: "${SNMP_AUTH}"}
          privacy: {protocol: aes, password: "file:privacy.key"}
        - {name: old, community: "${SNMP_COMMUNITY}"}
      timeout: 2s
"""


def test_devices_name_the_credential_that_they_answer(site, tmp_path):
    text = site.write(lab=False, interval="1h").read_text()
    line = f"snmp: {{port: {site.snmp_port}, timeout: 500ms, details: false}}"
    assert line in text
    site.file.write_text(
        text.replace(line, f"snmp:\n      port: {site.snmp_port}\n      {CREDENTIALS}")
    )
    (tmp_path / "privacy.key").write_text(f"{PRIVACY}\n")
    first, second = (f"{site.net}.{n}" for n in (1, 2))
    (tmp_path / "agent").mkdir()
    secrets = {"SNMP_AUTH": AUTH, "SNMP_COMMUNITY": COMMUNITY}
    with (
        debian_agent(tmp_path / "agent", first, site.snmp_port),
        responder(second, TableAgent(SYSTEM, COMMUNITY.encode()), site.snmp_port),
    ):
        run = site.up("--cycles", "1", env=secrets)
        assert run.end(60) == 0, run.lines
    found = {
        device["sys_name"]: device["extra"]["credential"]
        for device in site.devices()
        if device["sys_name"]
    }
    assert found == {"v3-one": "1", "sw-1": "old"}
    shown = "\n".join([*run.lines, run.out]).encode()
    for path in site.state.rglob("*"):
        shown += path.read_bytes() if path.is_file() else b""
    for secret in (AUTH, PRIVACY, COMMUNITY):
        assert secret.encode() not in shown


def test_up_with_a_missing_secret_says_so_in_one_line(site):
    text = site.write(lab=False).read_text()
    line = f"snmp: {{port: {site.snmp_port}, timeout: 500ms, details: false}}"
    site.file.write_text(
        text.replace(line, f"snmp:\n      port: {site.snmp_port}\n      {CREDENTIALS}")
    )
    run = site.up("--cycles", "1", env={"SNMP_COMMUNITY": COMMUNITY})
    assert run.end(60) != 0
    assert any("SNMP_AUTH is not set" in line for line in run.lines), run.lines
    assert not any("Traceback" in line for line in run.lines)
