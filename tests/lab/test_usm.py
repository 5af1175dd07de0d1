"""Agents that speak SNMPv3, asked by net-snmp's tools."""

from __future__ import annotations

import random
import re
import subprocess

import pytest

from pdsno_cli.lab.agent import Agent
from pdsno_cli.lab.mib import Mibs
from pdsno_cli.lab.models import model
from pdsno_cli.lab.network import Network
from pdsno_cli.lab.plan import LabUser, Segment, make_device, plan
from pdsno_cli.lab.server import Lab
from tests.conftest import require
from tests.lab.conftest import free_udp_port, served

AUTH, PRIVACY = "auth-password", "privacy-password"
USERS = (
    LabUser(name="none"),
    LabUser(name="md5", auth=("md5", AUTH)),
    LabUser(name="sha-aes", auth=("sha", AUTH), privacy=("aes", PRIVACY)),
    LabUser(name="sha256-aes", auth=("sha256", AUTH), privacy=("aes", PRIVACY)),
    LabUser(name="sha512-aes", auth=("sha512", AUTH), privacy=("aes", PRIVACY)),
    LabUser(name="sha-des", auth=("sha", AUTH), privacy=("des", PRIVACY)),
    "public",
)
NET_SNMP = {
    "md5": "MD5",
    "sha": "SHA",
    "sha256": "SHA-256",
    "sha512": "SHA-512",
    "aes": "AES",
    "des": "DES",
}
SYS_NAME = ".1.3.6.1.2.1.1.5.0"


@pytest.fixture(scope="module")
def devices():
    """Return the devices of a lab in which each agent answers to another credential, by its name."""
    targets = [f"127.108.1.{n}" for n in range(1, len(USERS) + 1)]
    segment = Segment(targets=targets, port=free_udp_port(targets[0]), credentials=USERS)
    planned = plan([segment], devices=len(USERS), snmp=len(USERS))
    with served(Lab(planned)):
        yield {item.user.name if item.user else item.community: item for item in planned}


@pytest.fixture
def tool(tmp_path):
    """Return a function that runs one of net-snmp's tools against a device."""

    def run(name, device, *words, options):
        return subprocess.run(
            [require(name), "-v3", "-On", "-t", "1", "-r", "0", *options,
             f"{device.address}:{device.port}", *words],
            capture_output=True, text=True, timeout=30, check=False,
            env={"SNMP_PERSISTENT_DIR": str(tmp_path), "MIBS": "", "PATH": "/usr/bin:/bin"},
        )  # fmt: skip

    return run


def options(user, *, auth=AUTH, privacy=PRIVACY, name=None):
    found = ["-u", name or user.name, "-l", "noAuthNoPriv"]
    if user.auth:
        found[3:] = ["authNoPriv", "-a", NET_SNMP[user.auth[0]], "-A", auth]
    if user.privacy:
        found[3] = "authPriv"
        found += ["-x", NET_SNMP[user.privacy[0]], "-X", privacy]
    return found


def users(*, auth=False, privacy=False):
    found = [u for u in USERS if isinstance(u, LabUser)]
    return [u for u in found if (u.auth or not auth) and (u.privacy or not privacy)]


@pytest.mark.parametrize("user", users(), ids=lambda user: user.name)
def test_snmpget_and_snmpbulkwalk_read_with_the_right_user(devices, tool, user):
    device = devices[user.name]
    got = tool("snmpget", device, SYS_NAME, options=options(user))
    assert got.stdout == f'{SYS_NAME} = STRING: "{device.sys_name}"\n', got.stderr
    walked = tool("snmpbulkwalk", device, ".1.3.6.1.2.1.2", options=options(user)).stdout
    names = [line.split(" = ")[0] for line in walked.splitlines()]
    assert len(names) >= 1 + 11
    assert names == sorted(names, key=lambda name: [int(part) for part in name[1:].split(".")])


@pytest.mark.parametrize("user", users(auth=True), ids=lambda user: user.name)
def test_a_wrong_password_is_reported(devices, tool, user):
    found = tool(
        "snmpget", devices[user.name], SYS_NAME, options=options(user, auth="wrong-password")
    )
    assert "Authentication failure" in found.stderr


@pytest.mark.parametrize("user", users(privacy=True), ids=lambda user: user.name)
def test_a_wrong_privacy_password_gets_no_answer(devices, tool, user):
    wrong = options(user, privacy="wrong-password")
    found = tool("snmpget", devices[user.name], SYS_NAME, options=wrong)
    assert found.returncode != 0
    assert SYS_NAME not in found.stdout


def test_an_unknown_user_and_a_lower_level_are_reported(devices, tool):
    user = USERS[3]
    unknown = tool("snmpget", devices[user.name], SYS_NAME, options=options(user, name="nobody"))
    assert "Unknown user name" in unknown.stderr
    lower = ["-u", user.name, "-l", "authNoPriv", "-a", "SHA-256", "-A", AUTH]
    found = tool("snmpget", devices[user.name], SYS_NAME, options=lower)
    assert "Unsupported security level" in found.stderr


def test_an_agent_speaks_the_version_of_its_credential_alone(devices, tool):
    v2c = ["-v2c", "-c", "public"]
    assert "Timeout" in tool("snmpget", devices["none"], SYS_NAME, options=v2c).stderr
    assert tool("snmpget", devices["public"], SYS_NAME, options=v2c).returncode == 0
    found = tool("snmpget", devices["public"], SYS_NAME, options=options(USERS[0]))
    assert "Timeout" in found.stderr


def test_engine_ids_are_each_devices_own(devices, tool):
    seen = set()
    for name in ("md5", "sha-aes"):
        found = tool(
            "snmpget", devices[name], SYS_NAME, options=["-d", *options(USERS[1], name=name)]
        )
        dumped = "".join(re.findall(r"(?:[0-9A-F]{2} )+", found.stdout + found.stderr)).replace(
            " ", ""
        )
        mac = devices[name].mac.replace(":", "").upper()
        assert f"80001F8803{mac}" in dumped
        seen.add(mac)
    assert len(seen) == 2


def test_damaged_messages_are_silence():
    user = USERS[3]
    device = make_device(
        0, "127.108.2.1", port=161, community="", user=user, model=model("camera-axis")
    )
    agent = Agent(device, Mibs(Network([device])))
    discovery = bytes.fromhex(
        "303e020103301102047fffffff020300ffe30401040201030410300e0400020100020100040004000400"
        "3014040004 00a00e02044d5a3e1f020100020100 3000".replace(" ", "")
    )
    report = agent.answer(discovery)
    assert report is not None
    assert bytes.fromhex("80001f8803") in report
    noise = random.Random(7)
    for _ in range(3000):
        damaged = bytearray(discovery)
        for _ in range(noise.randint(1, 4)):
            damaged[noise.randrange(len(damaged))] = noise.randrange(256)
        agent.answer(bytes(damaged[: noise.randint(0, len(damaged))]))
