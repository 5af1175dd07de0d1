"""The examples and tables of docs/messages.md are correct."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pdsno_cli.model.messages import DELIVERY_ORDERS as REPAIR
from pdsno_cli.model.refusals import Reason
from pdsno_cli.model.schemas import schema_path
from pdsno_cli.model.topics import MESSAGE_TYPES
from tests.conftest import require
from tests.messaging.samples import KEY, SAMPLES
from tests.schemas.test_messages import sealed

PAGE, _ = (
    (Path(__file__).parents[2] / "docs" / "messages.md")
    .read_text()
    .split("\n## Add a message kind\n")  # what follows is for test_add_kind.py
)


def example(kind: str) -> str:
    (found,) = re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    return found


def python(topic: str, key: bytes, file: Path) -> int:
    command = [sys.executable, "-c", example("python"), topic, key.hex()]
    with file.open("rb") as data:
        return subprocess.run(command, stdin=data, capture_output=True, check=False).returncode


def shell(topic: str, key: bytes, file: Path) -> int:
    require("openssl")
    command = ["sh", "-c", example("sh"), "verify", topic, key.hex(), file]
    return subprocess.run(command, capture_output=True, check=False).returncode


@pytest.mark.parametrize("verify", [python, shell])
@pytest.mark.parametrize("kind", SAMPLES)
def test_the_examples_verify_what_is_sent(verify, kind, tmp_path):
    data, topic, file = sealed(kind), SAMPLES[kind][1], tmp_path / "message"
    file.write_bytes(data)
    assert verify(topic, KEY, file) == 0
    assert verify(topic + "x", KEY, file) == 1
    assert verify(topic, bytes(32), file) == 1
    file.write_bytes(data.replace(b'"epoch":1,', b'"epoch":2,'))
    assert verify(topic, KEY, file) == 1


def test_the_example_of_an_envelope_conforms():
    import jsonschema

    document = json.loads(example("json"))
    for name, part in (("envelope", document), ("status", document["payload"])):
        jsonschema.validate(part, json.loads(schema_path(name).read_text()))


def test_the_tables_are_complete():
    assert re.findall(r"^\| \[`(\w+)`\]", PAGE, re.MULTILINE) == list(MESSAGE_TYPES)
    commands, rest = PAGE.split("## Commands")[1].split("## Events")
    events, refusals = rest.split("## What a receiver refuses")
    assert entries(commands) == [order for order in orders_of_the_schema() if order not in REPAIR]
    assert (
        re.findall(r"`(\w+)`", " ".join(re.findall(r"^\| (`.*?) \|", events, re.MULTILINE)))[1:]
        == examples_of_events()
    )
    assert entries(refusals) == [reason.value for reason in Reason]


def entries(section: str) -> list[str]:
    """Return the first cells of a table that are names, its head aside."""
    return re.findall(r"^\| `([\w-]+)` \| (?!to \|)", section, re.MULTILINE)


def examples_of_events() -> list[str]:
    schema = json.loads(schema_path("event").read_text())
    return schema["properties"]["event"]["examples"]


def orders_of_the_schema() -> list[str]:
    schema = json.loads(schema_path("command").read_text())
    return schema["properties"]["order"]["enum"]
