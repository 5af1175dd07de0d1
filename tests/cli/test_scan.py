"""`pdsno scan` as a user runs it, on a lab on loopback."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from pdsno_cli.lab.plan import LabUser, Segment, plan
from pdsno_cli.lab.server import Lab
from pdsno_cli.model.targets import AddressSet
from tests.commands import pdsno
from tests.lab.conftest import free_udp_port, served

PDSNO = str(Path(sys.executable).with_name("pdsno"))
TARGETS = "127.104.1.1-127.104.1.12"


@pytest.fixture(scope="module")
def port():
    port = free_udp_port("127.104.1.1")
    segment = Segment(targets=AddressSet.of([TARGETS]), port=port, community="lab")
    with served(Lab(plan([segment], devices=12, snmp=12))):
        yield str(port)


ENVIRONMENT = {"COLUMNS": "80", "NO_COLOR": "1"}


def run(*words, **environment):
    return pdsno("scan", *words, env={**os.environ, **ENVIRONMENT, **environment})


def test_devices_are_a_table_that_fits_80_columns(port):
    done = run(TARGETS, "--protocols", "snmp", "--community", "lab", "--port", port)
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[0].startswith("ADDRESS ")
    assert len(lines) == 1 + 12
    assert all(len(line) <= 80 for line in lines)
    assert "rt-edge-01" in lines[1]
    assert "router" in lines[1]
    assert "12 devices at 12 addresses in " in done.stderr
    assert "(snmp 12/12)" in done.stderr


def test_json_and_csv_hold_every_field(port):
    words = (TARGETS, "--protocols", "snmp", "--community", "lab", "--port", port)
    document = json.loads(run(*words, "--json").stdout)
    assert document["format_version"] == 1
    assert document["addresses"] == 12
    first = document["devices"][0]
    assert first["addresses"] == ["127.104.1.1"]
    assert first["extra"]["vendor"] == "Juniper"
    rows = list(csv.DictReader(io.StringIO(run(*words, "--csv").stdout)))
    assert len(rows) == 12
    assert (rows[0]["name"], rows[0]["vendor"]) == ("rt-edge-01", "Juniper")
    assert rows[0]["serial"] == first["extra"]["serial"]


def test_user_of_snmpv3_is_tried_where_no_community_is_answered(tmp_path):
    (tmp_path / "auth").write_text("auth-password\n")
    user = LabUser(name="reader", auth=("sha256", "auth-password"), privacy=("aes", "a secret"))
    targets = ["127.104.2.1", "127.104.2.2"]
    port = free_udp_port(targets[0])
    segment = Segment(targets=targets, port=port, credentials=("lab", user))
    words = ("--protocols", "snmp", "--community", "lab", "--user", "reader",
             "--auth", f"sha256=file:{tmp_path / 'auth'}", "--privacy", "aes=${KEY}")  # fmt: skip
    with served(Lab(plan([segment], devices=2, snmp=2))):
        done = run(*targets, *words, "--port", str(port), "--json", KEY="a secret")
    devices = json.loads(done.stdout)["devices"]
    assert [(d["addresses"], d["extra"]["credential"]) for d in devices] == [
        ([targets[0]], "1"),
        ([targets[1]], "2"),
    ]


def test_rate_is_kept(port):
    words = (TARGETS, "--protocols", "snmp", "--community", "none", "--port", port, "--json",
             "--timeout", "50ms", "--retries", "1")  # fmt: skip
    document = json.loads(run(*words, "--rate", "10").stdout)
    assert document["seconds"] > 2  # 24 requests


def test_excluded_addresses_are_not_asked(port):
    done = run(TARGETS, "--protocols", "snmp", "--community", "lab", "--port", port,
               "--exclude", "127.104.1.2-127.104.1.6", "--exclude", "127.104.1.12")  # fmt: skip
    assert "6 devices at 6 addresses" in done.stderr


def test_nothing_found_is_exit_1_with_reasons(port):
    done = run("127.104.1.1-127.104.1.3", "--protocols", "snmp", "--port", port,
               "--timeout", "200ms", "--retries", "0")  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "")
    assert f"snmp: no answer of 3 to the community on port {port}" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["10.0.0.0/99"], "invalid TARGET '10.0.0.0/99': a prefix length is at most 32, not 99"),
        (["10.0.0.1,10.0.0.300"], "invalid TARGET '10.0.0.300': each number"),
        (["224.0.0.1"], "invalid TARGET: '224.0.0.1' contains multicast"),
        (["10.0.0.1", "--exclude", "x"], "invalid --exclude 'x'"),
        (["10.0.0.1", "--exclude", "10.0.0.0/24"], "every target is excluded"),
        (["10.0.0.0/8"], "16,777,214 addresses: a scan takes at most 1,048,576"),
        (["10.0.0.1", "--protocols", "snmpp"], "unknown protocol 'snmpp': did you mean 'snmp'?"),
        (["10.0.0.1", "--protocols", ","], "invalid --protocols ','"),
        (["10.0.0.1", "--timeout", "soon"], "soon"),
        (["10.0.0.1", "--json", "--csv"], "--json and --csv cannot be combined"),
        (["10.0.0.1", "--community", ""], "a community cannot be empty"),
        (["10.0.0.1", "--auth", "sha=x"], "--auth and --privacy are those of a --user"),
        (["10.0.0.1", "--user", "u", "--auth", "sha265=x"], "did you mean 'sha256'?"),
        (["10.0.0.1", "--user", "u", "--auth", "sha256"], "write sha256=file:PATH"),
        (["10.0.0.1", "--user", "u", "--privacy", "aes=x"], "--privacy takes --auth, too"),
        (["10.0.0.1", "--user", "u", "--auth", "sha=short"], "shorter than 8 characters"),
        (["10.0.0.1", "--user", "u", "--auth", "sha=file:/no/such"], "/no/such"),
    ],
)
def test_a_mistake_is_one_line_and_exit_2(words, said):
    done = run(*words)
    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""


def test_a_terminal_shows_a_bar_and_a_pipe_none():
    ours, theirs = os.openpty()
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
            silent.bind(("127.104.9.1", 0))
            port = str(silent.getsockname()[1])
            words = ("127.104.9.1-127.104.9.3", "--protocols", "snmp", "--port", port,
                     "--retries", "0", "--timeout", "500ms")  # fmt: skip
            subprocess.run(
                [PDSNO, "scan", *words], stdout=subprocess.PIPE, stderr=theirs, timeout=60,
                check=False, env={**os.environ, **ENVIRONMENT},
            )  # fmt: skip
            quiet = run(*words).stderr
        shown = os.read(ours, 65_536).decode()
    finally:
        os.close(theirs)
        os.close(ours)
    assert "3 addresses: snmp 2/3" in shown  # two ports are closed
    assert "2/3" not in quiet


def test_ctrl_c_ends_a_scan_at_once():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.104.9.9", 0))
        silent.settimeout(30)
        process = subprocess.Popen(
            [PDSNO, "scan", "127.104.9.9", "--protocols", "snmp", "--timeout", "60s",
             "--port", str(silent.getsockname()[1])],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        silent.recv(65_535)  # it waits for an answer from now on
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (130, "")
    assert "Traceback" not in err


def test_one_address_is_said_to_be_one(port):
    done = run("127.104.1.1", "--protocols", "snmp", "--community", "lab", "--port", port)
    assert "1 device at 1 address in " in done.stderr
