"""How long `pdsno validate` takes as a whole process, beside check-jsonschema on the same file."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
PDSNO = BIN / "pdsno"
SCHEMA = ROOT / "schemas" / "topology.schema.json"

pytestmark = pytest.mark.bench


def large(controllers: int = 10_000, regions: int = 40) -> str:
    """Return a topology with as many controllers, each of them written out."""
    lines = ["name: large", "regions:"]
    lines += [f"  region-{n:03d}: {{policy: {{scan_interval: 60s}}}}" for n in range(regions)]
    lines += ["controllers:", "  global_cntl_1: {role: global}"]
    lines += [
        f"  regional_cntl_region-{n:03d}_1: {{role: regional, region: region-{n:03d}}}"
        for n in range(regions)
    ]
    for number in range(controllers - regions - 1):
        first = (10 << 24) + number * 16
        address = ".".join(str(first >> shift & 255) for shift in (24, 16, 8, 0))
        lines += [
            f"  local_cntl_{number:05d}:",
            "    role: local",
            f"    region: region-{number % regions:03d}",
            "    discovery:",
            "      interval: 60s",
            f"      targets: [{address}/28]",
            '      snmp: {community: "${SNMP_COMMUNITY}", port: 161}',
        ]
    return "\n".join(lines) + "\n"


def median(command: list[str | Path], rounds: int) -> float:
    """Return the median seconds of whole processes."""
    seconds = []
    for _ in range(rounds):
        begun = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
        seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds)


def events(path: Path) -> float:
    """Return the seconds that libyaml's bare event stream takes, the median of five."""
    text = path.read_text()
    seconds = []
    for _ in range(5):
        begun = time.perf_counter()
        get = yaml.CSafeLoader(text).get_event
        while not isinstance(get(), yaml.StreamEndEvent):
            pass
        seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds)


def check_jsonschema(path: Path | str) -> list[str | Path]:
    return [BIN / "check-jsonschema", "--schemafile", SCHEMA, path]


def show(rows: dict[str, str]) -> None:
    width = max(map(len, rows))
    print("\n" + "\n".join(f"{name:{width}}  {text}" for name, text in rows.items()))  # noqa: T201  # the figures are what a bench is for


def test_validate_is_quick_and_quicker_than_check_jsonschema(tmp_path):
    path = tmp_path / "large.yaml"
    path.write_text(large())
    help_ = median([PDSNO, "--help"], 9)
    small = median([PDSNO, "validate", "topologies/zone-a.yaml"], 9)
    small_theirs = median(check_jsonschema("topologies/zone-a.yaml"), 9)
    ours = median([PDSNO, "validate", path], 5)
    theirs = median(check_jsonschema(path), 3)
    show(
        {
            "pdsno --help": f"{help_:7.3f} s  (bound 0.15)",
            "pdsno validate zone-a.yaml": f"{small:7.3f} s  (bound 0.35)",
            "check-jsonschema zone-a.yaml": f"{small_theirs:7.3f} s",
            "ratio of the two": f"{small / small_theirs:7.2f}    (bound 0.8)",
            f"10,000 controllers, {path.stat().st_size / 1e6:.1f} MB": f"{ours:7.3f} s  (bound 1.5)",
            "check-jsonschema, the same file and schema": f"{theirs:7.3f} s",
            "times faster": f"{theirs / ours:7.1f}    (bound 12)",
            "libyaml's events alone": f"{events(path):7.3f} s",
        }
    )
    assert help_ <= 0.15
    assert small <= 0.35
    assert small <= 0.8 * small_theirs
    assert ours <= 1.5
    assert theirs / ours >= 12


def test_cost_is_linear_in_the_controllers(tmp_path):
    taken = {}
    for controllers in (2_000, 20_000):
        path = tmp_path / f"{controllers}.yaml"
        path.write_text(large(controllers))
        taken[controllers] = median([PDSNO, "validate", path], 3)
    ratio = taken[20_000] / taken[2_000]
    show(
        {
            "2,000 controllers": f"{taken[2_000]:7.3f} s",
            "20,000 controllers": f"{taken[20_000]:7.3f} s",
            "ratio": f"{ratio:7.1f}    (bound 11)",
        }
    )
    assert ratio <= 11


def test_many_small_files_in_one_call(tmp_path):
    text = (ROOT / "topologies" / "zone-a.yaml").read_text()
    for number in range(1_000):
        (tmp_path / f"{number:04d}.yaml").write_text(text.replace("zone-a", f"zone-{number}", 1))
    taken = median([PDSNO, "validate", tmp_path], 3)
    show({"1,000 files like zone-a.yaml": f"{taken:7.3f} s  (bound 2)"})
    assert taken <= 2
