"""Keeps what the drills measured, as JSON lines, and puts it as a table into docs/reliability.md.

Run as a program: ``python -m tests.faults.results RESULTS [PAGE]``. RESULTS are of one run, by as
many processes as there may be; without a page their table is printed.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

RESULTS = "PDSNO_SOAK_RESULTS"
JUDGED = ("accepted", "lost", "twice", "wrong")
MARKS = {True: "full", False: "quick"}
HEAD = """\
| drill | accepted | lost | twice | wrong | measured |
|---|---|---|---|---|---|
"""


def record(drill: str, **figures) -> None:
    """Print a drill's result, and keep it where make soak wants it."""
    _keep({"drill": drill, **figures})


def record_run(*, full: bool, seed: int) -> None:
    """Keep what the results that follow were measured with."""
    if os.environ.get(RESULTS):
        _keep({"run": datetime.now(UTC).date().isoformat(), "full": full, "seed": seed,
               "cores": os.cpu_count(), "versions": versions()})  # fmt: skip


def versions() -> dict[str, str]:
    found = {name: version(name) for name in ("pdsno", "iotcore", "paho-mqtt")}
    found |= {"Python": platform.python_version(), "SQLite": sqlite3.sqlite_version}
    if program := shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin"):
        said = subprocess.run([program, "-h"], capture_output=True, text=True, check=False).stdout
        found["Mosquitto"] = said.split()[2]
    return found


def _keep(result: dict) -> None:
    line = json.dumps(result)
    sys.stdout.write(line + "\n")
    if path := os.environ.get(RESULTS):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        with Path(path).open("a") as file:
            file.write(line + "\n")


def table(lines: list[str]) -> tuple[str, bool]:
    """Return a run as Markdown, and whether it was a full one."""
    results = [json.loads(line) for line in lines]
    run = next(result for result in results if "run" in result)
    drills = sorted((one for one in results if "drill" in one), key=lambda one: one["drill"])
    used = ", ".join(f"{name} {number}" for name, number in sorted(run["versions"].items()))
    text = (
        f"{MARKS[run['full']].capitalize()} form, {run['run']}, seed {run['seed']}, "
        f"{run['cores']} cores; {used}.\n\n{HEAD}"
    )
    for drill in drills:
        what = ", ".join([drill.pop("drill"), drill.pop("broker")])
        drill.pop("seed")
        judged = " | ".join(f"{drill.pop(name):,}" for name in JUDGED)
        text += f"| {what} | {judged} | {', '.join(_said(drill))} |\n"
    return text, run["full"]


def _said(figures: dict):
    for name, value in figures.items():
        label = name.replace("_", " ")
        if isinstance(value, dict):
            yield f"{label}: " + " ".join(
                f"{key} {count:,}" for key, count in sorted(value.items())
            )
        elif isinstance(value, list):
            if value:
                yield f"{label} {' and '.join(map(str, value))}"
        elif isinstance(value, bool):
            yield f"{label} {'left' if value else 'cut'}"
        else:
            yield f"{label} {value}"


def main() -> None:
    results, *page = (Path(name) for name in sys.argv[1:])
    text, full = table(results.read_text().splitlines())
    if not page:
        sys.stdout.write(text)
        return
    kind = MARKS[full]
    place = re.compile(f"(<!-- {kind} form -->\n).*?(<!-- end -->)", re.DOTALL)
    page[0].write_text(place.sub(lambda found: found[1] + text + found[2], page[0].read_text()))


if __name__ == "__main__":
    main()
