"""``pdsno plan``: what an apply would change, asked of a running topology."""

from __future__ import annotations

import json
import os

from pdsno_cli.runtime.run_record import differs, read_record
from pdsno_cli.runtime.state_dir import StateDir

from .conftest import until


def plan(site, *args):
    return site.ask("plan", str(site.file), *args)


def test_plan_where_nothing_runs_adds_everything_and_starts_nothing(site):
    site.write()
    done = plan(site, "--detailed-exitcode")
    assert done.returncode == 2, done.stderr
    assert f"{site.root} does not run:" in done.stdout
    assert "plan: 4 add" in done.stdout
    assert not site.state.exists()
    for command in (["devices"], ["audit"], ["quarantine", "list"], ["policy", "status"]):
        never = site.ask(*command, str(site.file))
        assert never.returncode == 2, command
        assert "was never up" in never.stderr
    site.file.write_text("signing_key: ${NOT_HERE}\n" + site.file.read_text())
    assert "warning: cannot read the secret '${NOT_HERE}'" in plan(site).stderr


def test_plan_compares_the_file_with_what_runs(site):
    site.write(interval="1h")
    site.up().ready()
    same = plan(site, "--detailed-exitcode")
    assert (same.returncode, same.stdout) == (0, f"{site.root}: nothing to change\n")
    record = read_record(StateDir(site.state))
    assert (record.file, record.topology) == (str(site.file), site.root)
    assert record.ended_at is None
    assert record.controllers.keys() == {"g1", "rc1", "lc1", "lc2"}
    until(lambda: len(site.devices()) == 6, "a full view at the top")

    text = site.file.read_text().replace("scan_interval: 1h", "scan_interval: 30m")
    text = text.replace("devices: 6, snmp: 3", "devices: 3, snmp: 3")
    site.file.write_text("".join(line for line in text.splitlines(True) if "lc2:" not in line))
    done = plan(site)
    assert done.returncode == 0, done.stderr
    assert "regions.r1.policy.scan_interval: 1h → 30m" in done.stdout
    assert "- lc2: remove (local, r1)" in done.stdout
    assert "because: it publishes the policy of its region" in done.stdout
    assert "lc2 ends: removes 3 devices from the inventory" in done.stdout
    assert "plan: 1 remove, 2 live" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80

    found = plan(site, "--json", "--detailed-exitcode")
    assert found.returncode == 2
    data = json.loads(found.stdout)
    assert data["format_version"] == 1
    assert data["token"] in done.stdout
    assert {item["id"]: item["change"] for item in data["changes"]} == {
        "g1": "live", "rc1": "live", "lc2": "remove"
    }  # fmt: skip


def test_plan_reads_secrets_in_its_own_environment_and_shows_digests(site, monkeypatch):
    site.write(interval="1h", lab=False)
    text = site.file.read_text().replace("timeout: 500ms", "timeout: 500ms, community: '${COMM}'")
    site.file.write_text(text)
    monkeypatch.setenv("COMM", "eins")
    site.up().ready()
    assert "nothing to change" in plan(site).stdout
    record = read_record(StateDir(site.state))
    monkeypatch.setenv("COMM", "zwei")
    done = plan(site)
    assert "discovery.snmp.community: sha256:" in done.stdout
    assert "plan: 2 restart" in done.stdout
    for secret in ("eins", "zwei"):
        assert secret not in done.stdout + (site.state / "run.json").read_text()
    from pdsno_cli.lint.engine import require

    assert differs(record, require(str(site.file)))
    os.environ["COMM"] = "eins"
    assert not differs(record, require(str(site.file)))


def test_plan_of_a_file_with_errors_prints_its_findings(site):
    site.write()
    site.file.write_text(site.file.read_text().replace("role: local", "role: lokal"))
    done = plan(site)
    assert done.returncode == 1
    assert "lokal" in done.stderr
