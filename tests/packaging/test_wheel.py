"""The wheel holds all that pdsno needs, and works where there is no checkout."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCHEMAS = sorted(path.name for path in (ROOT / "schemas").glob("*.json"))
UNREACHABLE = re.compile(
    r"No matching distribution|Temporary failure|Failed to establish|Max retries|timed out"
)


def pip(*words: str) -> subprocess.CompletedProcess:
    # Not what the caller's shell happens to say: the index, or its absence, is pip's own business.
    env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", *words],
        capture_output=True, text=True, env=env, check=False, timeout=100,
    )  # fmt: skip


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """Build the wheel as pip does for a user."""
    if importlib.util.find_spec("pip") is None:
        unable("pip is not installed")
    folder = tmp_path_factory.mktemp("wheel")
    words = ["wheel", str(ROOT), "--no-deps", "--wheel-dir", str(folder), "--retries", "1"]
    if importlib.util.find_spec("hatchling") is not None:
        words.append("--no-build-isolation")
    built = pip(*words)
    if built.returncode != 0 and UNREACHABLE.search(built.stdout + built.stderr):
        unable("the build backend cannot be had: no package index is in reach")
    assert built.returncode == 0, built.stderr
    (found,) = folder.glob("pdsno-*.whl")
    return found


def unable(message: str) -> None:
    if os.environ.get("PDSNO_TEST_REQUIRE_TOOLS"):
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="module")
def names(wheel) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


@pytest.fixture(scope="module")
def installed(wheel) -> Path:
    """Install the wheel alone into a folder of its own."""
    folder = wheel.parent / "installed"
    done = pip("install", "--no-deps", "--no-index", "--target", str(folder), str(wheel))
    assert done.returncode == 0, done.stderr
    return folder


def away(*words: str, where: Path, installed: Path | None) -> subprocess.CompletedProcess:
    """Run Python outside the checkout, with the libraries of this environment.

    ``-S`` reads no ``.pth`` file, so an editable install of the checkout is not to be found:
    site-packages are named as a plain folder, behind the one of the installed wheel.
    """
    libraries = [str(installed)] if installed else []
    libraries += [sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    env = {key: value for key, value in os.environ.items() if not key.startswith("PDSNO")}
    return subprocess.run(
        [sys.executable, "-S", *words],
        capture_output=True,
        text=True,
        cwd=where,
        env={**env, "PYTHONPATH": os.pathsep.join(libraries), "NO_COLOR": "1"},
        check=False,
        timeout=30,
    )


def test_wheel_holds_schemas_templates_marker_and_license(names):
    assert SCHEMAS
    recordings = (ROOT / "pdsno_cli" / "lab" / "recordings").iterdir()
    recorded = {f"pdsno_cli/lab/recordings/{path.name}" for path in recordings}
    tables = {f"pdsno_cli/discovery/identify/{n}.txt" for n in ("vendors", "os_vendors")}
    assert recorded | tables <= set(names)
    schemas = {f"pdsno_cli/schemas/{n}" for n in SCHEMAS}
    assert {n for n in names if n.endswith(".json")} - recorded == schemas
    page = (ROOT / "pdsno_cli" / "web" / "static").iterdir()
    assert {f"pdsno_cli/web/static/{path.name}" for path in page} <= set(names)
    templates = (ROOT / "pdsno_cli" / "render" / "templates").iterdir()
    assert {f"pdsno_cli/render/templates/{path.name}" for path in templates} <= set(names)
    assert "pdsno_cli/py.typed" in names
    assert [n for n in names if n.endswith(".dist-info/licenses/LICENSE")]


def test_wheel_holds_every_module_and_nothing_else(names):
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "pdsno_cli").rglob("*.py")}
    assert {name for name in names if name.endswith(".py")} == modules
    assert {name.split("/")[0].split("-")[0] for name in names} == {"pdsno_cli", "pdsno"}
    assert not [name for name in names if "__pycache__" in name]


def test_wheel_names_license_python_and_command(wheel):
    with zipfile.ZipFile(wheel) as archive:
        read = {Path(name).name: name for name in archive.namelist() if ".dist-info/" in name}
        metadata = Parser().parsestr(archive.read(read["METADATA"]).decode())
        commands = archive.read(read["entry_points.txt"]).decode()
    assert metadata["Name"] == "pdsno"
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata.get_payload().startswith("# pdsno")
    assert "pdsno = pdsno_cli.__main__:main" in commands


def test_checkout_is_not_importable_where_the_wheel_is_tried(tmp_path):
    tried = away("-c", "import pdsno_cli", where=tmp_path, installed=None)
    assert "No module named 'pdsno_cli'" in tried.stderr


def test_installed_wheel_reads_every_schema_from_inside_itself(installed, tmp_path):
    names = [name.removesuffix(".schema.json") for name in SCHEMAS]
    code = (
        "import json, sys\n"
        "from pdsno_cli.model.schemas import schema_path\n"
        "print(json.dumps([str(schema_path(name)) for name in sys.argv[1:]]))\n"
    )
    asked = away("-c", code, *names, where=tmp_path, installed=installed)
    assert asked.returncode == 0, asked.stderr
    paths = [Path(path) for path in json.loads(asked.stdout)]
    assert paths == [installed / "pdsno_cli" / "schemas" / name for name in SCHEMAS]
    assert [p.read_bytes() for p in paths] == [
        (ROOT / "schemas" / p.name).read_bytes() for p in paths
    ]


def test_installed_wheel_validates(installed, tmp_path):
    shutil.copy(ROOT / "topologies" / "zone-a.yaml", tmp_path / "good.yaml")
    slip = (tmp_path / "good.yaml").read_text().replace("heartbeat: 5s", "heartbaet: 5s")
    (tmp_path / "slip.yaml").write_text(slip)
    good = away("-m", "pdsno_cli", "validate", "good.yaml", where=tmp_path, installed=installed)
    assert (good.returncode, good.stdout, good.stderr) == (0, "", "1 file ok\n")
    bad = away("-m", "pdsno_cli", "validate", "slip.yaml", where=tmp_path, installed=installed)
    assert bad.returncode == 1, bad.stderr
    assert re.search(r"^slip\.yaml:\d+:\d+: error\[PDS101\] unknown key 'heartbaet'", bad.stdout)
    assert "did you mean 'heartbeat'?" in bad.stdout


@pytest.mark.parametrize("form", ["tree", "table", "json", "markdown", "mermaid"])
def test_installed_wheel_draws_the_topics(installed, tmp_path, form):
    shutil.copy(ROOT / "topologies" / "zone-a.yaml", tmp_path / "topology.yaml")
    drawn = away("-m", "pdsno_cli", "topics", "--format", form, where=tmp_path, installed=installed)
    assert drawn.returncode == 0, drawn.stderr
    assert "discovery" in drawn.stdout
    assert "zone-A" in drawn.stdout


def test_installed_wheel_explains_rules(names, installed, tmp_path):
    assert [n for n in names if n.endswith(".md") and ".dist-info/" not in n] == [
        "pdsno_cli/docs/rules.md"
    ]
    shown = away("-m", "pdsno_cli", "rule", "PDS301", where=tmp_path, installed=installed)
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.startswith("PDS301 one-sided-topics (warning)\n")
