"""Every message of a run, as an independent client receives it, is as documented."""

from __future__ import annotations

import copy
import hashlib
import hmac
import json
import os
import re
import signal
from collections import defaultdict
from datetime import datetime, timedelta
from pathlib import Path

import jsonschema
import pytest

from tests.commands import pdsno

from .conftest import until
from .test_mosquitto import Ear, Mosquitto, body, shout

SCHEMAS = Path(__file__).parents[2] / "schemas"
KIND = {
    "discovery": "discovery_report",
    "policy": "policy",
    "events": "event",
    "status": "status",
    "summary": "summary",
    "ack": "ack",
    "command": "command",
}
END = re.compile(
    rb',"signature":\{"alg":"HMAC-SHA256","kid":"([0-9a-f]{8})","nonce":"([0-9a-f]+)",'
    rb'"sig":"([0-9a-f]{64})"\}\}\Z'
)
UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


@pytest.fixture
def mosquitto(tmp_path, free_port):
    broker = Mosquitto(tmp_path, free_port, "allow_anonymous true")
    until(broker.answers, "Mosquitto's start")
    yield broker
    broker.end()


@pytest.fixture
def ear(mosquitto, site):
    """A client subscribed to the whole root, from before the first message on."""
    probe = f"{site.root}-probe"
    shout(mosquitto.port, probe, b"{}", "-r")
    # MQTT 5's retain-as-published keeps the flag of the publication.
    extra = ("-V", "mqttv5", "--retain-as-published")
    ear = Ear(mosquitto.port, f"{site.root}/#", probe, extra=extra)
    until(lambda: ear.heard, "the retained message that follows a granted subscription")
    ear.heard.clear()
    yield ear
    ear.end()


@pytest.fixture
def heard(site, mosquitto, ear):
    """All messages of a run with a change, a killed local and a wanted stop."""
    site.write(broker=f"{{embedded: false, host: 127.0.0.1, port: {mosquitto.port}}}")
    # Another delivery than the default: the file's word counts.
    text = site.file.read_text()
    declared = text.replace(f"{{root: {site.root}}}", f"{{root: {site.root}, events: {{qos: 2}}}}")
    assert declared != text
    site.file.write_text(declared)
    run = site.up().ready()

    def first(kind, **wanted):
        def fits(_, message):
            payload = message["payload"]
            return message["message_type"] == kind and all(
                value(payload[key]) if callable(value) else payload.get(key) == value
                for key, value in wanted.items()
            )

        return body(ear.first(fits))

    first("discovery_report", snapshot=False)
    first("status", state="heartbeat")
    device = first("summary", new=bool)["payload"]["new"][0]
    speaker = next(d["addresses"][0] for d in site.devices() if "snmp" in d["protocols"])
    assert device["local_id"] in ("lc1", "lc2")
    renamed = site.ask("lab", "rename", str(site.file), speaker, "renamed-1")
    assert renamed.returncode == 0, renamed.stderr
    changed = first("discovery_report", snapshot=False, updated=bool)
    assert [d["sys_name"] for d in changed["payload"]["updated"]] == ["renamed-1"]
    first("summary", snapshot=False, updated=bool)
    ordered = site.ask("discover", str(site.file), "lc2")
    assert ordered.returncode == 0, ordered.stderr
    path = site.folder / "policy.yaml"
    path.write_text("scan_interval: 900ms\n")
    applied = site.ask("policy", "apply", str(path), str(site.file), "--scope", "r1")
    assert applied.returncode == 0, applied.stderr
    old = site.row("lc1")
    os.kill(old["pid"], signal.SIGKILL)
    first("status", state="death", reason="will")
    first("event", event="controller_down", subject="lc1")
    first("event", event="controller_up", subject="lc1")
    ear.first(
        lambda _, m: (
            m["sender_id"] == "lc1"
            and m["message_type"] == "discovery_report"
            and m["epoch"] > old["epoch"]
        )
    )
    run.interrupt()
    assert run.end() == 0, run.lines
    ear.first(
        lambda _, m: (
            m["sender_id"] == "g1"
            and m["message_type"] == "status"
            and m["payload"]["state"] == "death"
        )
    )
    return list(ear.heard)


@pytest.mark.long
def test_every_message_of_a_run_keeps_schema_signature_topic_and_number(site, heard):
    for message in heard:
        check_signature(message, bytes.fromhex((site.state / "key").read_text()))
        check_schema(body(message))
        check_envelope(message, site.root)
    check_delivery(heard, declared_topics(site))
    check_numbers([body(message) for message in heard])
    check_answers([body(message) for message in heard])
    check_all_kinds_were_heard([body(message) for message in heard])


def check_signature(message: dict, key: bytes) -> None:
    """As docs/messages.md says: HMAC over topic, NUL, and all before the signature's value."""
    data = message["data"]
    end = END.search(data)
    assert end is not None, data[-200:]
    assert end[1].decode() == hashlib.sha256(key).hexdigest()[:8]
    signed = message["topic"].encode() + b"\0" + data[: end.start(3)]
    assert hmac.new(key, signed, hashlib.sha256).hexdigest() == end[3].decode(), message


def schema(name: str) -> dict:
    return json.loads((SCHEMAS / f"{name}.schema.json").read_text())


def closed(node):
    """Return a schema that refuses what it does not describe: the open ones allow later members."""
    if isinstance(node, list):
        return [closed(item) for item in node]
    if not isinstance(node, dict):
        return node
    node = {key: closed(item) for key, item in copy.deepcopy(node).items()}
    if isinstance(node.get("properties"), dict) and "type" in node:
        node.setdefault("additionalProperties", False)
    return node


def check_schema(document: dict) -> None:
    for name, instance in (
        ("envelope", document),
        (document["message_type"], document["payload"]),
    ):
        for form in (schema(name), closed(schema(name))):
            for dialect in (jsonschema.Draft7Validator, jsonschema.Draft202012Validator):
                dialect.check_schema({**form, "$schema": dialect.META_SCHEMA["$schema"]})
                checker = jsonschema.FormatChecker()
                errors = [
                    e.message for e in dialect(form, format_checker=checker).iter_errors(instance)
                ]
                assert not errors, (errors, document)


def check_envelope(message: dict, root: str) -> None:
    document = body(message)
    assert f"{root}/{document['stream']}" == message["topic"]
    assert UUID7.fullmatch(document["message_id"]), document["message_id"]
    moment = datetime.fromisoformat(document["timestamp"])
    assert moment.utcoffset() == timedelta(0)
    assert document["recipient_id"] == "broadcast"


def declared_topics(site) -> dict[str, dict]:
    """Return each topic of the file as ``pdsno topics`` prints it."""
    done = pdsno("topics", site.file, "--format", "json")
    families = json.loads(done.stdout)["topologies"][0]["families"]
    return {topic: family for family in families for topic in family["topics"]}


def check_delivery(heard: list[dict], declared: dict[str, dict]) -> None:
    roles = {"g1": "global", "rc1": "regional", "lc1": "local", "lc2": "local"}
    roles["operator"] = "operator"
    for message in heard:
        document = body(message)
        family = declared[message["topic"]]
        assert document["message_type"] == KIND[family["class"]], message
        assert roles[document["sender_id"]] in family["publishers"], message
        if family["class"] in ("discovery", "summary", "status"):
            assert message["topic"].rsplit("/", 1)[1] == document["sender_id"]
        death = document["payload"].get("state") == "death"
        assert message["qos"] == (1 if death else family["qos"]), message
        assert message["retain"] == family["retain"], message
    assert {m["qos"] for m in heard if "/events/" in m["topic"]} == {2}


def check_numbers(documents: list[dict]) -> None:
    """From 1 and without a gap within sender, stream and epoch; sent again, the same message."""
    numbers = defaultdict(list)
    epochs = defaultdict(list)
    ids = {}
    for document in documents:
        sender, stream = document["sender_id"], document["stream"]
        will = document["payload"].get("reason") == "will"
        assert (document["seq"] == 0) is will, document
        place = sender, stream, document["epoch"], document["seq"]
        if place in ids:
            assert ids[place] == document["message_id"], document
            continue
        ids[place] = document["message_id"]
        if not will:
            numbers[place[:3]].append(document["seq"])
            epochs[sender, stream].append(document["epoch"])
    for place, found in numbers.items():
        assert found == list(range(1, len(found) + 1)), place
    for (sender, stream), found in epochs.items():
        assert found == sorted(found), stream
        if stream.startswith("status/"):
            assert len(set(found)) == (2 if sender == "lc1" else 1)
    assert len(set(ids.values())) == len(ids)


def check_answers(documents: list[dict]) -> None:
    """An answer names its order, and an operator publishes orders only."""
    orders = {m["message_id"]: m for m in documents if m["sender_id"] == "operator"}
    assert {m["message_type"] for m in orders.values()} == {"command"}
    answers = defaultdict(set)
    for document in documents:
        if "correlation_id" in document:
            order = orders[document["correlation_id"]]
            assert order["stream"] == f"command/{document['sender_id']}"
            answers[order["payload"]["order"]].add(document["message_type"])
    assert answers == {"discover": {"discovery_report"}, "policy": {"policy", "event"}}


DETAILS = ("snapshot", "state", "event", "order")


def check_all_kinds_were_heard(documents: list[dict]) -> None:
    heard = set()
    for document in documents:
        payload = document["payload"]
        detail = next((payload[key] for key in DETAILS if key in payload), None)
        heard.add((document["message_type"], detail))
    assert heard >= {
        ("discovery_report", True),
        ("discovery_report", False),
        ("summary", True),
        ("summary", False),
        ("status", "birth"),
        ("status", "heartbeat"),
        ("status", "death"),
        ("policy", None),
        ("event", "policy_applied"),
        ("event", "controller_down"),
        ("event", "controller_up"),
        ("command", "discover"),
        ("command", "policy"),
    }
