"""How long `pdsno validate` takes as a whole process, beside check-jsonschema on the same file."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
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
            "      snmp: {community: public, port: 161}",
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


def test_validate_is_quick_and_quicker_than_check_jsonschema(tmp_path):
    path = tmp_path / "large.yaml"
    path.write_text(large())
    pdsno = BIN / "pdsno"
    size = path.stat().st_size / 1e6
    help_ = median([pdsno, "--help"], 9)
    small = median([pdsno, "validate", "topologies/zone-a.yaml"], 9)
    ours = median([pdsno, "validate", path], 5)
    theirs = median([BIN / "check-jsonschema", "--schemafile", SCHEMA, path], 3)
    print(  # noqa: T201  # the figures are what a bench is for
        f"\npdsno --help                               {help_:7.3f} s  (bound 0.15)"
        f"\npdsno validate zone-a.yaml                 {small:7.3f} s  (bound 0.35)"
        f"\npdsno validate, 10,000 controllers, {size:.1f} MB {ours:7.3f} s  (bound 1.5)"
        f"\ncheck-jsonschema, the same file and schema {theirs:7.3f} s"
        f"\nratio                                      {theirs / ours:7.1f}    (bound 6)"
    )
    assert help_ <= 0.15
    assert small <= 0.35
    assert ours <= 1.5
    assert theirs / ours >= 6
