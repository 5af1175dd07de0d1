"""SARIF read by its authors' own tool: judged by its rules and GitHub's, counted, and led back to the source."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands import pdsno
from tests.nodejs import package

ERR = Path(__file__).parents[2] / "lint" / "err"
PDSNO = Path(sys.executable).with_name("pdsno")
FILES = ("several-slips.yaml", "tab.yaml", "PDS301-one-sided-topics.yaml")


@pytest.fixture
def multitool(tmp_path):
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        pytest.skip("the tool's binary is for Linux on x86-64")
    package("@microsoft/sarif-multitool")
    binary = package("@microsoft/sarif-multitool-linux") / "Sarif.Multitool"
    if not os.access(binary, os.X_OK):
        binary.chmod(0o755)  # npm runs no scripts here, which would have done so

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [binary, *arguments],
            cwd=tmp_path,
            env={
                **os.environ,
                "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1",  # no ICU library
                "DOTNET_BUNDLE_EXTRACT_BASE_DIR": str(tmp_path / "dotnet"),
            },
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


@pytest.fixture
def log(tmp_path):
    """The findings of the files, written as SARIF beside them, and as JSON."""
    for name in FILES:
        shutil.copy(ERR / name, tmp_path)
    words = ("validate", "--format", "json", "--format", "sarif=pdsno.sarif", *FILES)
    outside_ci = {key: value for key, value in os.environ.items() if not key.startswith("GITHUB_")}
    done = pdsno(*words, cwd=tmp_path, env=outside_ci)
    assert done.returncode == 1, done.stderr
    return json.loads(done.stdout)["findings"]


def test_sarif_breaks_no_rule_of_sarif_or_github(multitool, log, tmp_path):
    multitool(
        "validate", "pdsno.sarif", "--rule-kind", "Sarif;Ghas", "--level", "Error;Warning",
        "--output", "judged.sarif",
    )  # fmt: skip
    (run,) = json.loads((tmp_path / "judged.sarif").read_text("utf-8-sig"))["runs"]
    assert [result["message"] for result in run.get("results", [])] == []
    assert log


def test_each_code_is_counted(multitool, log):
    codes = [item["code"] for item in log]
    assert len(set(codes)) > 5
    for code in set(codes):
        found = multitool("query", "pdsno.sarif", "--expression", f"RuleId == '{code}'")
        assert f"Found {codes.count(code):,} of {len(codes):,} results" in found


def test_each_region_is_the_text_of_its_finding(multitool, log, tmp_path):
    multitool("rewrite", "pdsno.sarif", "--insert", "RegionSnippets", "--output", "whole.sarif")
    (run,) = json.loads((tmp_path / "whole.sarif").read_text("utf-8-sig"))["runs"]
    texts = {}
    for result in run["results"]:
        (location,) = result["locations"]
        place = location["physicalLocation"]
        region = place["region"]
        where = (place["artifactLocation"]["uri"], region["startLine"], region["startColumn"])
        texts[(*where, result["ruleId"])] = region["snippet"]["text"]
    for item in log:
        line = (tmp_path / item["path"]).read_text().split("\n")[item["line"] - 1]
        text = line[item["column"] - 1 : item["end_column"] - 1]
        assert texts[item["path"], item["line"], item["column"], item["code"]] == text
    assert len(texts) == len(log)
