"""Each check of the doctor, where all is well and where it is not: real brokers, files, processes."""

from __future__ import annotations

import os
import re
import resource
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from pdsno_cli.client.doctor import CHECKS, examine
from pdsno_cli.client.doctor.subject import Subject
from pdsno_cli.lint.engine import require as load
from pdsno_cli.runtime.keys import signing_key
from pdsno_cli.runtime.state_dir import StateDir
from tests.conftest import free_port
from tests.messaging.brokers import Mosquitto

FILE = """\
name: {root}
broker: {broker}
topics: {{root: {root}}}
fallbacks: [mqtt]
defaults: {{heartbeat: 1s}}
regions: {{r1: {{}}}}
controllers:
  g1: {{role: global}}
  rc1: {{role: regional, region: r1}}
  lc1: {{role: local, region: r1, discovery: {{targets: [127.0.0.9]}}}}
"""


@pytest.fixture
def subject(tmp_path, topic_root):
    def make(broker: str = "{embedded: true}", **replaced: str) -> Subject:
        text = FILE.format(root=topic_root, broker=broker)
        for old, new in replaced.items():
            text = text.replace(old, new)
        path = tmp_path / "site.yaml"
        path.write_text(text)
        state = StateDir(tmp_path / "state")
        state.make()
        return Subject(topology=load(str(path)), state=state)

    return make


@pytest.fixture
def mosquitto(tmp_path):
    made = []

    def start(*lines: str) -> Mosquitto:
        broker = Mosquitto(tmp_path, *lines)
        made.append(broker)
        broker.start()
        return broker

    yield start
    for broker in made:
        broker.kill()


def verdicts(subject):
    found = {}
    for item in examine(subject):
        found.setdefault(item.check, []).append((item.verdict, item.text, item.hint))
    return found


def on(broker, **members):
    options = {"host": "127.0.0.1", "port": broker.port, **members}
    return "{" + ", ".join(f"{key}: {value}" for key, value in options.items()) + "}"


def test_every_check_is_found_and_says_something(subject):
    assert len(CHECKS) == len(set(CHECKS))
    assert {"icmp privileges", "open files", "disk", "locks", "keys"} <= verdicts(subject()).keys()


def test_embedded_broker_that_does_not_run_is_skipped(subject):
    assert verdicts(subject())["broker"][0][:2] == (
        "skip",
        "the embedded broker runs only while the topology is up",
    )


@pytest.mark.parametrize("protocol", ["3.1.1", '"5"'])
def test_good_broker_passes_every_check_and_keeps_nothing(subject, mosquitto, protocol):
    broker = mosquitto()
    seen = verdicts(subject(on(broker, protocol=protocol)))
    for check in (
        "broker",
        "version",
        "round trip",
        "wildcards",
        "payload",
        "retained",
        "last will",
    ):
        assert [item[0] for item in seen[check]] == ["ok"], seen[check]
    assert "mosquitto version" in seen["version"][0][1]
    assert re.search(r"MQTT \S+, anonymous, \d+ ms; it speaks \S+, too", seen["broker"][0][1])
    again = verdicts(subject(on(broker)))
    assert "traffic" in again  # nothing is published, nothing was left retained
    assert again["traffic"][0][:2] == ("skip", "nothing of this topology is published")


def test_wrong_port_is_a_failure_with_what_to_do(subject):
    found = verdicts(subject(f"{{host: 127.0.0.1, port: {free_port()}}}"))["broker"][0]
    assert found[0] == "fail"
    assert "connection refused; no broker listens there" in found[1]
    assert "broker.port" in found[2]


def test_wrong_password_is_a_failure_that_names_the_user(subject, mosquitto, tmp_path, monkeypatch):
    passwords = tmp_path / "passwords"
    subprocess.run(["mosquitto_passwd", "-c", "-b", passwords, "net", "right"], check=True)
    broker = mosquitto("allow_anonymous false", f"password_file {passwords}")
    monkeypatch.setenv("SITE_PASSWORD", "wrong")
    found = verdicts(subject(on(broker, username="net", password='"${SITE_PASSWORD}"')))["broker"][
        0
    ]
    assert found[0] == "fail"
    assert "refuses the credentials of user name 'net'" in found[1]
    monkeypatch.setenv("SITE_PASSWORD", "right")
    found = verdicts(subject(on(broker, username="net", password='"${SITE_PASSWORD}"')))["broker"][
        0
    ]
    assert found[0] == "ok"
    assert "as net" in found[1]


def test_acl_that_denies_is_named_as_the_likely_reason(subject, mosquitto, tmp_path):
    acl = tmp_path / "acl"
    acl.write_text("topic read #\n")
    broker = mosquitto("allow_anonymous true", f"acl_file {acl}")
    found = verdicts(subject(on(broker)))["round trip"][0]
    assert found[0] == "warn"
    assert "does not arrive" in found[1]
    assert "ACL" in found[2]


def test_broker_without_retained_messages_is_a_failure(subject, mosquitto):
    broker = mosquitto("allow_anonymous true", "retain_available false")
    found = verdicts(subject(on(broker)))["retained"][0]
    assert found[:2] == ("fail", "a retained message is not kept")


def test_size_limit_below_that_of_the_file_is_a_failure(subject, mosquitto):
    broker = mosquitto("allow_anonymous true", "message_size_limit 1000")
    found = verdicts(subject(on(broker)))["payload"][0]
    assert found[0] == "fail"
    assert "(broker.max_payload) do not arrive" in found[1]
    assert "message_size_limit" in found[2]


@pytest.mark.long
def test_frozen_broker_is_a_failure_and_no_hang(subject, mosquitto):
    broker = mosquitto()
    broker.send_signal(signal.SIGSTOP)
    found = verdicts(subject(on(broker)))["broker"][0]
    broker.send_signal(signal.SIGCONT)
    assert found[0] == "fail"
    assert "no answer" in found[1]


def test_name_that_does_not_resolve(subject):
    found = verdicts(subject("{host: no-such-host.invalid, port: 1}"))
    assert found["resolver"][0][0] == "fail"
    assert "no-such-host.invalid does not resolve" in found["resolver"][0][1]


def test_too_few_open_files(subject):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    code = (
        "import resource, sys\n"
        "from tests.client.doctor.test_doctor import files_of\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (80, 80))\n"
        "print(files_of(sys.argv[1], sys.argv[2]))\n"
    )
    plan = subject(**{"[127.0.0.9]": "{split: 127.0.9.0/24, into: 29}", "lc1: {": "lc_[01:20]: {"})
    done = subprocess.run(
        [sys.executable, "-c", code, plan.topology.path, str(plan.state.root)],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert done.stdout.startswith("('fail', '108 are needed, 80 allowed'")
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (soft, hard)


def files_of(path: str, state: str) -> tuple:
    """Return the verdict on open files; for a process with a limit of its own."""
    made = Subject(topology=load(path), state=StateDir(Path(state)))
    return verdicts(made)["open files"][0]


def test_port_that_is_taken_is_named_with_its_user(subject):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        found = verdicts(subject(f"{{embedded: true, port: {port}}}"))["ports"][0]
    assert found[0] == "warn"
    assert f"the embedded broker cannot listen on 127.0.0.1:{port}" in found[1]
    assert verdicts(subject(f"{{embedded: true, port: {port}}}"))["ports"][0][0] == "ok"


def test_state_directory_that_cannot_be_written(subject):
    plan = subject()
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    plan.state.root.chmod(0o500)
    assert verdicts(plan)["disk write"][0][0] == "fail"
    plan.state.root.chmod(0o700)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_files_of_another_user_are_a_failure(subject):
    plan = subject()
    assert verdicts(plan)["owner"] == [("ok", "all state is this user's own", None)]
    log = plan.state.log("g1")
    log.touch()
    os.chown(log, 65534, -1)
    [(verdict, text, _)] = verdicts(plan)["owner"]
    assert verdict == "fail"
    assert f"{log} belongs to user 65534" in text


def test_link_in_the_state_directory_is_a_failure(subject, tmp_path):
    plan = subject()
    plan.state.log("g1").symlink_to(tmp_path / "elsewhere")
    [(verdict, text, _)] = verdicts(plan)["owner"]
    assert verdict == "fail"
    assert "is a symbolic link" in text


def test_key_that_others_can_read(subject):
    plan = subject()
    assert verdicts(plan)["keys"] == [("ok", "pdsno up makes the signing key", None)]
    signing_key(plan.topology, plan.state)
    assert verdicts(plan)["keys"][0][0] == "ok"
    plan.state.key.chmod(0o644)
    assert verdicts(plan)["keys"][0][:1] == ("fail",)
    assert "chmod 600" in verdicts(plan)["keys"][0][1]
    assert stat.S_IMODE(plan.state.key.stat().st_mode) == 0o644  # nothing is changed


def test_missing_secret_is_a_failure(subject, monkeypatch):
    monkeypatch.delenv("SITE_KEY", raising=False)
    plan = subject(**{"topics:": 'signing_key: "${SITE_KEY}"\ntopics:'})
    [(verdict, text, _)] = verdicts(plan)["keys"]
    assert verdict == "fail"
    assert "SITE_KEY" in text


def test_stranger_below_the_root_is_noticed(subject, mosquitto, topic_root):
    broker = mosquitto()
    plan = subject(on(broker))
    signing_key(plan.topology, plan.state)
    for topic in (f"{topic_root}/lights/1", f"{topic_root}/status/lc9"):
        subprocess.run(
            ["mosquitto_pub", "-p", str(broker.port), "-t", topic, "-m", "on", "-r"], check=True
        )
    seen = verdicts(plan)
    assert seen["filters"][0][:2] == ("warn", f"nobody subscribes to {topic_root}/lights/1")
    assert seen["traffic"][0][0] == "warn"
    assert "would be refused" in seen["traffic"][0][1]
