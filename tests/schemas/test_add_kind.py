"""The kind that docs/messages.md adds: its steps are followed in a copy, and the copy is run."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from textwrap import indent

import pytest

from tests.derived import DERIVED, ENVELOPE
from tests.derived import MESSAGES as PAGE
from tests.package_copy import ROOT, changed, copy_package, insert, python, snippets

MESSAGES, TOPICS = Path("pdsno_cli/model/messages.py"), Path("pdsno_cli/model/topics.py")
RECEIVER, SCHEMA = Path("pdsno_cli/controllers/global_.py"), Path("schemas/note.schema.json")
CONTRACT = "tests/schemas/test_messages.py"
# Two controllers on a bus. The second note comes twice, as over two transports; a third is of a
# sender that may not publish it.
RUN = """
import json, sys, threading
from pathlib import Path
from pdsno_cli.delivery.subscriptions import filters
from pdsno_cli.lint.engine import require
from pdsno_cli.messaging.bus import Bus, BusTransport
from pdsno_cli.messaging.failover import FailoverTransport
from pdsno_cli.messaging.codec import Codec
from pdsno_cli.model.messages import Note
from pdsno_cli.model.notices import RefusalNotice
from pdsno_cli.nib.reader import open_reader
from pdsno_cli.runtime.node import Node
from tests.e2e.conftest import until
from tests.messaging.recorder import Recorder

KEY = bytes(32)
topology, bus = require("one.yaml"), Bus()
topic = topology.topics.note("r", "lc")
seen, spy = Recorder(), BusTransport(bus, "spy", [topic])
spy.start(seen)

class Watcher:
    def __init__(self):
        self.ready, self.refused = threading.Event(), {}

    def notice(self, notice):
        if getattr(notice, "state", None) == "ready":
            self.ready.set()
        if isinstance(notice, RefusalNotice):
            self.refused = notice.counts

def connect(name, epoch):
    link = BusTransport(bus, name, filters(topology, topology.controllers[name]))
    return FailoverTransport(transports={"bus": link}, order=lambda _: ("bus",))

def run(name):
    watcher = Watcher()
    node = Node(topology=topology, controller_id=name, key=KEY, store=Path(name + ".db"),
                connect=connect, watcher=watcher)
    thread = threading.Thread(target=node.run)
    thread.start()
    nodes.append((node, thread))
    assert watcher.ready.wait(20)
    return node, watcher

def send(text):
    with lc[0]._publisher.unit() as unit:
        unit.stage(topic, Note(text=text))

def notes():
    with open_reader(Path("gc.db")) as store:
        return [(e.sender, e.event.detail["text"]) for e in store.events() if e.event.event == "note"]

def waiting():
    with open_reader(Path("lc.db")) as store:
        return store.backlog("notes/r/lc").messages

nodes = []
try:
    lc = run("lc")
    lc[0]._mailbox.post(lambda: send("first"))  # nobody receives it yet: it is kept
    until(waiting, "keeping the first")
    gc = run("gc")
    until(lambda: len(notes()) == 1, "the first")
    lc[0]._mailbox.post(lambda: send("second"))
    until(lambda: len(notes()) == 2, "the second")
    until(lambda: not waiting(), "the acknowledgement")
    assert spy.publish(topic, seen.messages[-1][1], qos=1, retain=False)
    other = topology.topics.note("r", "rc")
    forged = Codec(KEY, topology.topics, 1_000_000).seal(
        topic=other, sender_id="rc", message_type="note", payload=Note(text="x"), epoch=1, seq=1)
    assert spy.publish(other, forged, qos=1, retain=False)
    until(lambda: gc[1].refused, "the refusal")  # it came last: the copy is dealt with
finally:
    for node, thread in nodes:
        node.stop()
        thread.join(20)
    spy.stop()
print(json.dumps([sorted(notes()), waiting(), gc[1].refused]))
"""


@pytest.fixture
def copy(tmp_path):
    """Follow the page in a copy of the package and return its folder."""
    copy_package(tmp_path, *DERIVED)
    shutil.copytree(
        ROOT / "tests", tmp_path / "tests", ignore=shutil.ignore_patterns("__pycache__")
    )
    struct, entry, method, effect = snippets(ROOT / PAGE, "Add a message kind")
    messages = tmp_path / MESSAGES
    insert(messages, before="Payload = ", text=struct + "\n\n")
    messages.write_text(
        messages.read_text().replace(" | Ack | Command\n", " | Ack | Command | Note\n")
    )
    topics = tmp_path / TOPICS
    insert(topics, before="    )\n}\nMESSAGE_TYPES", text=indent(entry.rstrip() + ",\n", " " * 8))
    insert(topics, before="    def class_of(", text=method + "\n")
    insert(topics, before="    Payload,\n", text="    Note,\n")
    insert(tmp_path / RECEIVER, before="\n    def _publish_policy(", text=effect)
    insert(tmp_path / RECEIVER, before="PolicyDocument, Status, Summary\n", text="Note, ")
    (schema,) = snippets(ROOT / PAGE, "Add a message kind", "json")
    (tmp_path / SCHEMA).write_text(schema)
    python(tmp_path, "-m", "tests.derived")
    return tmp_path


@pytest.mark.long
def test_a_message_kind_is_four_files_and_what_derives_from_them(copy):
    assert changed(copy) == {MESSAGES, TOPICS, SCHEMA, RECEIVER, ENVELOPE, PAGE}
    row = (
        "\n| [`note`](../schemas/note.schema.json) | `{root}/notes/{region}/{lc_id}` | global | One"
    )
    assert row in (copy / PAGE).read_text()
    shutil.copy(ROOT / "pyproject.toml", copy)
    if (known := ROOT / ".mypy_cache").is_dir():  # of the modules that are as they were
        ignored = shutil.ignore_patterns("*.json.*")  # what is being written
        shutil.copytree(known, copy / ".mypy_cache", ignore=ignored)
    python(copy, "-m", "pytest", "-q", "-p", "no:cacheprovider", CONTRACT)
    python(copy, "-m", "mypy")
    drawn = json.loads(python(copy, "-m", "pdsno_cli", "topics", "--format", "json"))
    assert "notes" in json.dumps(drawn)


def test_an_added_kind_is_kept_committed_once_and_acknowledged(copy):
    (copy / "one.yaml").write_text(
        "name: one\nregions: {r: {}}\ncontrollers:\n  gc: {role: global}\n"
        "  rc: {role: regional, region: r}\n  lc: {role: local, region: r, heartbeat: 5s}\n"
    )
    found = json.loads(python(copy, "-c", RUN))
    assert found == [[["lc", "first"], ["lc", "second"]], 0, {"wrong-topic": 1}]
