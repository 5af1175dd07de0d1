"""Sent messages conform to the published schemas; others are refused."""

from __future__ import annotations

import copy
import json

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET
from msgspec.structs import replace

from pdsno_cli.messaging.codec import Codec
from pdsno_cli.messaging.signing import Signer
from pdsno_cli.model.refusals import RefusedError
from pdsno_cli.model.schemas import schema_path
from pdsno_cli.model.topics import MESSAGE_TYPES
from tests.messaging.samples import KEY, LIMIT, PAYLOADS, SAMPLES, TOPICS

CODEC = Codec(KEY, TOPICS, LIMIT)
SIGNER = Signer(KEY)
DRAFTS = (jsonschema.Draft7Validator, jsonschema.Draft202012Validator)
SCHEMAS = {name: json.loads(schema_path(name).read_text()) for name in ("envelope", *MESSAGE_TYPES)}


def conforms(document: dict) -> bool:
    """Return True if a whole message conforms to both drafts."""
    verdicts = set()
    for draft in DRAFTS:
        valid = draft(SCHEMAS["envelope"]).is_valid(document)
        kind = document.get("message_type") if isinstance(document, dict) else None
        if valid:
            valid = draft(SCHEMAS[kind]).is_valid(document["payload"])
        verdicts.add(valid)
    assert len(verdicts) == 1
    return verdicts.pop()


def sealed(kind: str, payload=None) -> bytes:
    sample, topic, sender = SAMPLES[kind]
    return CODEC.seal(
        topic=topic,
        sender_id=sender,
        message_type=kind,
        payload=payload or sample,
        epoch=1,
        seq=1,
    )


@pytest.mark.parametrize("name", SCHEMAS)
@pytest.mark.parametrize("draft", DRAFTS)
def test_each_schema_is_valid_and_so_are_its_examples(name, draft):
    draft.check_schema(SCHEMAS[name])
    validator = draft(SCHEMAS[name])
    for example in SCHEMAS[name]["examples"]:
        validator.validate(example)


@pytest.mark.parametrize("name", SCHEMAS)
def test_everything_in_a_schema_is_described(name):
    def walk(schema: dict, where: str) -> None:
        if "$ref" in schema:
            return
        assert schema.get("description") or where.endswith(("/detail/*/items", "~")), where
        for key, value in schema.get("properties", {}).items():
            walk(value, f"{where}/{key}")
        for key, value in schema.get("definitions", {}).items():
            walk(value, f"{where}/{key}")
        if isinstance(schema.get("additionalProperties"), dict):
            walk(schema["additionalProperties"], f"{where}/*")
        if "items" in schema:
            walk(schema["items"], f"{where}/items")

    walk(SCHEMAS[name], name)


def test_a_device_is_the_same_in_both_schemas():
    one, other = (
        SCHEMAS[name]["definitions"]["device"] for name in ("discovery_report", "summary")
    )
    assert one == other


def test_a_policy_is_the_same_in_both_schemas():
    ordered = SCHEMAS["command"]["definitions"]["policy"]
    for key in ("type", "required", "properties", "additionalProperties"):
        assert ordered[key] == SCHEMAS["policy"][key]


@pytest.mark.parametrize(
    "payload",
    [
        {"order": "resend"},
        {"order": "base", "stream": ""},
        {"order": "policy"},
        {"order": "policy", "policy": None},
    ],
)
def test_an_order_without_what_it_is_about_is_neither_sent_nor_taken(payload):
    import msgspec

    assert not jsonschema.Draft7Validator(SCHEMAS["command"]).is_valid(payload)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(payload, MESSAGE_TYPES["command"])


@pytest.mark.parametrize("kind", MESSAGE_TYPES)
def test_the_schema_and_the_type_have_the_same_members(kind):
    import msgspec

    fields = msgspec.structs.fields(MESSAGE_TYPES[kind])
    assert set(SCHEMAS[kind]["properties"]) == {field.name for field in fields}
    required = {field.name for field in fields if field.required}
    assert set(SCHEMAS[kind]["required"]) == required


def test_a_device_without_extra_fields_is_sent_without_the_member():
    report = SAMPLES["discovery_report"][0]
    (device,) = report.new
    assert device.extra
    plain = replace(report, new=(replace(device, extra=UNSET),))
    assert b'"extra"' in sealed("discovery_report")
    assert b'"extra"' not in sealed("discovery_report", plain)


@pytest.mark.parametrize("kind", SAMPLES)
def test_what_is_sealed_conforms(kind):
    assert conforms(json.loads(sealed(kind)))


@settings(max_examples=100)
@given(
    st.sampled_from(sorted(PAYLOADS)).flatmap(
        lambda kind: PAYLOADS[kind].map(lambda payload: (kind, payload))
    )
)
def test_whatever_is_sealed_conforms(kind_and_payload):
    kind, payload = kind_and_payload
    assert conforms(json.loads(sealed(kind, payload)))


_JUNK = st.sampled_from(
    [None, True, 0, -1, 1, 1.5, -0.5, 2**53, "", "x", [], [1], [None], {}, {"a": 1}, {"a": None}]
)


def _places(value: object, path: tuple = ()) -> list[tuple]:
    """Return the path to every value within a document."""
    inner = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    return [path, *(place for key, child in inner for place in _places(child, (*path, key)))]


@settings(max_examples=400)
@given(data=st.data(), kind=st.sampled_from(sorted(SAMPLES)))
def test_what_does_not_conform_is_refused_though_signed(data, kind):
    document = json.loads(sealed(kind))
    signature = document.pop("signature")
    path = data.draw(st.sampled_from([p for p in _places(document) if p]))
    parent = document
    for key in path[:-1]:
        parent = parent[key]
    if data.draw(st.booleans()):
        del parent[path[-1]]
    else:
        parent[path[-1]] = copy.deepcopy(data.draw(_JUNK))
    topic = SAMPLES[kind][1]
    changed = SIGNER.sign(topic, json.dumps(document).encode())
    try:
        CODEC.open(topic, changed)
    except RefusedError:
        return
    assert conforms(document | {"signature": signature})
