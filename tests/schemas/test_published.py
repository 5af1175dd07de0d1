"""The published schema as editors and other validators use it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft7Validator

from pdsno_cli.model.schemas import schema_path
from pdsno_cli.spec.references import allow_references, without_references
from pdsno_cli.spec.schema import schema
from tests.conftest import require
from tests.nodejs import package

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
PUBLISHED = json.loads(schema_path("topology").read_text())
TOPOLOGIES = sorted((ROOT / "topologies").glob("*.yaml"))
REFERENCES = """\
name: ${SITE}
broker: {host: "mqtt.${SITE:-a}.net", port: "${MQTT_PORT:-8883}", keepalive: "${KEEPALIVE}", protocol: "${V:-5}"}
topics: {discovery: {qos: "${QOS:-1}", retain: "${RETAIN:-false}"}}
fallbacks: ["${FIRST:-mqtt}", http]
outbox: {messages: "${MOST}", age: "${HOURS}h"}
defaults: {heartbeat: "${HEARTBEAT:-5s}"}
regions: {r: {}}
controllers:
  gc: {role: "${ROLE:-global}"}
  rc: {role: regional, region: r, address: "${HOST}:${PORT:-8080}"}
  lc:
    role: local
    region: r
    discovery:
      interval: ${INTERVAL}
      targets: {split: "${PREFIX}", into: "${LENGTH:-24}"}
      snmp: {version: "${VERSION:-2c}", port: "${SNMP_PORT:-161}"}
"""
WRONG = "name: wrong\nbroker: {port: many, keepalive: 5 s}\ncontrollers: {g: {role: globl}}\n"


@pytest.fixture
def files(tmp_path):
    (tmp_path / "references.yaml").write_text(REFERENCES)
    (tmp_path / "wrong.yaml").write_text(WRONG)
    return tmp_path


def test_both_forms_lead_to_each_other():
    assert allow_references(schema()) == PUBLISHED
    assert allow_references(PUBLISHED) == PUBLISHED
    assert without_references(PUBLISHED) == schema()
    assert "reference" not in schema()["definitions"]


def test_published_schema_is_draft_07_and_allows_a_reference_for_each_scalar():
    assert PUBLISHED["$schema"] == "http://json-schema.org/draft-07/schema#"
    Draft7Validator.check_schema(PUBLISHED)
    wrapped = {"$ref": "#/definitions/reference"}
    bare = []

    def walk(node, name, *, inside=False):
        if isinstance(node, dict):
            kind = node.get("type")
            numeric = kind in ("integer", "number", "boolean")
            if (
                numeric or "enum" in node or (kind == "string" and "pattern" in node)
            ) and not inside:
                bare.append(name)
            for key, item in node.items():
                if key == "anyOf":
                    assert item[1:] == [wrapped], name
                    walk(item[0], name, inside=True)
                elif key not in ("examples", "default") and name != ".definitions.reference":
                    walk(item, f"{name}.{key}")

    walk(PUBLISHED, "")
    assert bare == [".definitions.reference"]


@pytest.mark.parametrize("words", [[], ["--message", "envelope"], ["--message", "policy"]])
def test_command_prints_the_schema(words):
    done = subprocess.run(
        [BIN / "pdsno", "schema", *words], capture_output=True, text=True, check=True
    )
    name = words[1] if words else "topology"
    assert json.loads(done.stdout) == json.loads(schema_path(name).read_text())


def test_command_suggests_a_message_kind():
    done = subprocess.run(
        [BIN / "pdsno", "schema", "--message", "polcy"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr == "error: unknown message kind 'polcy': did you mean 'policy'?\n"


def test_check_jsonschema_passes_topologies_and_references_and_refuses_mistakes(files):
    command = [BIN / "check-jsonschema", "--schemafile", schema_path("topology")]
    good = [*command, *TOPOLOGIES, files / "references.yaml"]
    done = subprocess.run(good, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    done = subprocess.run([*command, files / "wrong.yaml"], capture_output=True, check=False)
    assert done.returncode == 1


class LanguageServer:
    """The YAML language server over its standard streams."""

    def __init__(self):
        script = package("yaml-language-server") / "bin" / "yaml-language-server"
        self._child = subprocess.Popen(
            [require("node"), script, "--stdio"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def __enter__(self):
        self._send("initialize", {"capabilities": {}, "rootUri": None, "processId": None}, call=1)
        self._until(lambda message: message.get("id") == 1)
        self._send("initialized", {})
        settings = {"yaml": {"validate": True, "schemaStore": {"enable": False}}}
        self._send("workspace/didChangeConfiguration", {"settings": settings})
        return self

    def __exit__(self, *_):
        self._child.kill()
        self._child.communicate()

    def diagnostics(self, path, text):
        """Return the messages for a file with this text; its first line may name a schema."""
        uri = path.absolute().as_uri()
        item = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
        self._send("textDocument/didOpen", {"textDocument": item})
        found = self._until(
            lambda message: (
                message.get("method") == "textDocument/publishDiagnostics"
                and message["params"]["uri"] == uri
            )
        )
        return [item["message"] for item in found["params"]["diagnostics"]]

    def _send(self, method, params, *, call=None):
        message = {"jsonrpc": "2.0", "method": method, "params": params}
        body = json.dumps(message if call is None else {**message, "id": call}).encode()
        self._child.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self._child.stdin.flush()

    def _until(self, wanted):
        while True:
            length = 0
            while (line := self._child.stdout.readline()) not in (b"\r\n", b""):
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            assert length, "the language server has ended"
            message = json.loads(self._child.stdout.read(length))
            if wanted(message):
                return message
            if "id" in message and "method" in message:  # a question of the server
                items = message["params"].get("items", []) if "params" in message else []
                answer = {"jsonrpc": "2.0", "id": message["id"], "result": [None] * len(items)}
                body = json.dumps(answer).encode()
                self._child.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
                self._child.stdin.flush()


def test_yaml_language_server_has_no_diagnostics_on_topologies_and_some_on_mistakes(files):
    modeline = f"# yaml-language-server: $schema={schema_path('topology').as_uri()}\n"
    with LanguageServer() as server:
        for path in TOPOLOGIES:
            assert server.diagnostics(path, path.read_text()) == []
        path = files / "references.yaml"
        assert server.diagnostics(path, modeline + REFERENCES) == []
        assert len(server.diagnostics(files / "wrong.yaml", modeline + WRONG)) == 3
