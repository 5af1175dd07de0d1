"""``pdsno status`` beside what the supervisor reports, while all is well and while it is not."""

from __future__ import annotations

import json
import os
import signal

from .conftest import until


def printed(site) -> tuple[int, dict]:
    done = site.ask("status", str(site.file), "--json")
    return done.returncode, json.loads(done.stdout)


def test_json_is_the_report_of_the_supervisor_and_the_exit_code_its_verdict(site):
    site.write(lab=False, interval="1h")
    site.up().ready()
    code, report = until(lambda: (p := printed(site))[0] == 0 and p, "its being well")
    assert report["well"]
    assert report.keys() == site.status().keys()
    rows = {row["id"]: row for row in site.status()["controllers"]}
    assert [row["id"] for row in report["controllers"]] == [*rows]
    assert all(row["pid"] == rows[row["id"]]["pid"] for row in report["controllers"])
    os.kill(rows["lc1"]["pid"], signal.SIGSTOP)
    try:
        until(lambda: not site.status()["well"], "its silence")
        code, report = printed(site)
        assert (code, report["well"]) == (1, False)
    finally:
        os.kill(rows["lc1"]["pid"], signal.SIGCONT)
