"""``pdsno ls`` and names in place of files, with real runs."""

from __future__ import annotations

import json
import os
import signal

import pytest

from tests.commands import pdsno
from tests.e2e.conftest import until


@pytest.fixture(autouse=True)
def _home(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)


def listed():
    done = pdsno("ls", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["format_version"] == 1
    return {item["name"]: item for item in found["topologies"]}


def test_nothing_is_listed_where_nothing_ever_ran():
    done = pdsno("ls")
    assert (done.returncode, done.stdout) == (0, "")
    assert "no topology runs" in done.stderr


def test_a_run_is_listed_with_what_became_of_its_file(site):
    site.write(interval="1h")
    run = site.up().ready()
    until(lambda: listed()[site.root]["ready"] == 4, "its being ready")
    item = listed()[site.root]
    assert (item["state"], item["controllers"], item["changes"]) == ("up", 4, "none")
    assert (item["file"], item["state_dir"]) == (str(site.file), str(site.state))
    site.write(interval="2h")
    assert listed()[site.root]["changes"] == "changed"
    site.file.write_text("name: [")
    assert listed()[site.root]["changes"] == "file has errors"
    site.file.unlink()
    assert listed()[site.root]["changes"] == "file gone"
    # All that needs the run alone works without the file, and without its state directory.
    assert pdsno("status", site.root).returncode == 0
    assert pdsno("status").returncode == 0
    wrong = pdsno("status", site.root[:-1] + "_")
    assert wrong.returncode == 2
    assert f"did you mean '{site.root}'?" in wrong.stderr
    assert pdsno("down", site.root).returncode == 0
    assert run.end() == 0
    assert listed()[site.root]["state"] == "stopped"


def test_commands_that_read_the_file_find_it_by_name(site):
    site.write()
    assert site.up("--cycles", "1").end() == 0
    done = pdsno("devices", site.root, "--json")
    assert len(json.loads(done.stdout)["devices"]) == 6
    assert pdsno("audit", site.root).returncode == 0
    assert pdsno("policy", "status", site.root).returncode == 0
    assert pdsno("quarantine", "list", site.root).returncode == 0


def test_up_finds_the_file_by_name_and_changes_nothing_the_second_time(site):
    site.write(interval="1h")
    assert site.up("--cycles", "1").end() == 0
    assert pdsno("up", site.root, "-d").returncode == 0
    pids = [row["pid"] for row in site.status()["controllers"]]
    again = pdsno("up", site.root, "-d")
    assert again.returncode == 0
    assert f"{site.root}: nothing to change" in again.stdout + again.stderr
    assert [row["pid"] for row in site.status()["controllers"]] == pids
    assert pdsno("down", site.root).returncode == 0


def test_orders_find_the_run_by_name(site):
    site.write(interval="1h")
    site.up().ready()
    assert pdsno("discover", site.root, "lc1").returncode == 0
    assert pdsno("tail", site.root, "status/#", "--for", "200ms").returncode == 0
    assert pdsno("fault", "controller", site.root, "lc1", "kill").returncode == 0
    assert pdsno("lab", "remove", site.root, f"{site.net}.2").returncode == 0


def test_a_killed_supervisor_is_listed_as_dead_with_a_hint(site):
    site.write(interval="1h")
    run = site.up().ready()
    os.kill(run.process.pid, signal.SIGKILL)
    until(lambda: listed()[site.root]["state"] == "dead", "its being dead")
    done = pdsno("ls")
    assert f"pdsno up {site.file}" in done.stderr
    assert site.root in done.stdout


def test_ps_shows_a_region_or_a_role_and_suggests_the_nearest(site):
    site.write(interval="1h")
    site.up().ready()
    until(lambda: site.status()["well"], "its being well")
    rows = json.loads(pdsno("ps", site.root, "--role", "local", "--json").stdout)["controllers"]
    assert [row["id"] for row in rows] == ["lc1", "lc2"]
    shown = pdsno("ps", site.root, "--region", "r1").stdout.splitlines()
    assert [line.split()[0] for line in shown[-3:]] == ["rc1", "lc1", "lc2"]
    assert shown[-4].startswith("CONTROLLER")
    wrong = pdsno("ps", site.root, "--role", "locl")
    assert (wrong.returncode, "did you mean 'local'?" in wrong.stderr) == (2, True)
    wrong = pdsno("ps", site.root, "--region", "r2")
    assert (wrong.returncode, "one of: r1" in wrong.stderr) == (2, True)


@pytest.mark.parametrize(
    "command",
    [("ps",), ("devices",), ("policy", "status"), ("discover",), ("audit",)],
    ids=" ".join,
)
def test_long_ids_are_whole_within_80_columns(site, command):
    names = ["local_cntl_building-seven-north-wing_001", "regional_cntl_building-seven-north_00001"]
    assert {len(name) for name in names} == {40}
    text = site.write(interval="1h").read_text()
    site.file.write_text(text.replace("lc1:", f"{names[0]}:").replace("rc1:", f"{names[1]}:"))
    site.up().ready()
    until(lambda: site.status()["well"] and len(site.devices()) == 6, "its first cycle")
    done = pdsno(*command, site.root)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert names[0] in done.stdout
    assert max(map(len, lines)) <= 80, lines
