"""Compares what devices were identified as with what is expected of them; pure.

An expectation is a mapping with any of ``vendor``, ``type``, ``model`` (or ``hardware``),
``version``, ``serial`` and ``os``. Types may be ours or the coarse ones of ``ACCEPTED``. Without a
``vendor``, the ``os`` in another system's naming says whose it is (``os_vendors.txt``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from pdsno_cli.discovery.identify.answers import Answers
from pdsno_cli.discovery.identify.facts import CLASSES, Identity
from pdsno_cli.discovery.identify.placeholders import is_placeholder

DETAILS = ("version", "model", "serial")
SCORED = ("vendor", "type", *DETAILS)

# What a coarse type may be in ours, beyond the class of each type: systems that file a device by its
# operating system call a firewall a network device, and a camera an appliance.
ACCEPTED = {
    "network": {"firewall"},
    "appliance": {
        "camera",
        "phone",
        "console server",
        "load balancer",
        "server",
        "network appliance",
    },
    "collaboration": {"phone", "appliance", "network appliance"},
    "telephony": {"phone", "appliance", "network appliance"},
    "voip": {"phone", "appliance", "network appliance"},
    "management": {"server", "console server", "appliance"},
    "oob management": {"server", "console server", "appliance"},
    "sensor": {"environment"},
    "timing": {"appliance"},
    "video": {"camera", "appliance"},
    "workstation": {"server"},
    "server": {"workstation", "appliance"},
    "environment": {"power"},
    "loadbalancer": {"load balancer"},
    "firewall": {"firewall"},
}


# One company under several names.
_RENAMED = (
    {"hp", "hpe", "hewlett"},
    {"apc", "american"},
    {"vertiv", "liebert", "emerson", "geist"},
    {"eaton", "mge", "powerware", "swichtec"},
    {"cambium", "motorola"},
    {"arris", "commscope", "motorola"},
    {"infinera", "coriant", "transmode"},
    {"extreme", "enterasys"},
    {"brocade", "foundry", "ruckus"},
    {"dell", "force10"},
    {"oracle", "sun"},
    {"lenovo", "ibm"},
    {"calix", "occam"},
    {"peplink", "pepwave"},
    {"sophos", "cyberoam"},
    {"fortinet", "meru"},
    {"zhone", "paradyne"},
    {"sandvine", "procera"},
    {"ribbon", "sonus"},
    {"juniper", "trapeze", "peribit"},
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """One field of one device: what was expected and found; ``right`` is the judgement."""

    field: str
    expected: str
    found: str | None
    right: bool


def judge(found: Identity, expected: Mapping[str, object], answers: Answers) -> list[Verdict]:
    """Return a verdict on every field that is expected and that the answers hold."""
    verdicts = []
    for field in SCORED:
        wanted = _wanted(field, expected)
        value = found[field].value if field in found else None
        if wanted is None or (field in DETAILS and not held(wanted, answers)):
            continue
        right = value is not None and _right(field, value, wanted)
        verdicts.append(Verdict(field, wanted, value, right))
    return verdicts


def detail(verdicts: Iterable[Verdict]) -> bool | None:
    """Return True if version, model or serial number is right; None if none of them is expected."""
    judged = [item.right for item in verdicts if item.field in DETAILS]
    return any(judged) if judged else None


def invented(found: Identity, answers: Answers) -> list[str]:
    """Return the fields whose value stands neither in the answers nor in our tables."""
    own = ("vendor", "type", "os", "uptime")
    return [
        field
        for field, fact in found.items()
        if field not in own and not any(fact.value in text for text in answers.texts())
    ]


def held(value: str, answers: Answers) -> bool:
    """Return True if a word of ``value`` with a digit stands in the answers, or all of it."""
    words = [
        word for word in re.split(r"[\s()/,]+", value.casefold()) if any(c.isdigit() for c in word)
    ]
    wanted = words or [value.casefold()]
    return any(word in text.casefold() for text in answers.texts() for word in wanted)


def _wanted(field: str, expected: Mapping[str, object]) -> str | None:
    value = expected.get(field)
    if field == "model" and value is None:
        value = expected.get("hardware")
    if field == "vendor" and value is None:
        system = expected.get("os")
        value = os_vendors().get(system.casefold()) if isinstance(system, str) else None
    if not isinstance(value, str) or (field in DETAILS and is_placeholder(value)):
        return None
    return value.strip() or None


def _right(field: str, found: str, wanted: str) -> bool:
    if field == "type":
        coarse = wanted.casefold()
        return coarse in {found, CLASSES.get(found)} or found in ACCEPTED.get(coarse, set())
    one, other = _plain(found), _plain(wanted)
    if field == "serial":
        return one == other
    if field == "vendor":
        ours, theirs = set(one.split()), set(other.split())
        return bool(ours & theirs) or any(ours & names and theirs & names for names in _RENAMED)
    short, long = sorted((one, other), key=len)
    if len(short) > 7 and long.startswith(short):
        return True
    return re.search(rf"(?<![a-z0-9]){re.escape(short)}(?![a-z0-9])", long) is not None


def _plain(text: str) -> str:
    return " ".join(re.sub(r"[^a-z0-9.&+]", " ", text.casefold()).split())


@cache
def os_vendors() -> dict[str, str]:
    """Return whose systems are, by names that other programs give them."""
    text = files(__package__).joinpath("os_vendors.txt").read_text(encoding="utf-8")
    found = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            vendor, _, systems = line.partition(":")
            found.update(dict.fromkeys(systems.split(), vendor.strip()))
    return found
