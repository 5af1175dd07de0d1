"""Hostile messages at the regional controller, over MQTT and HTTP, while valid traffic flows."""

from __future__ import annotations

import time

import pytest

from tests.e2e.conftest import until
from tests.faults.arena import BROKERS, FULL, SEED
from tests.faults.field import DEVICES
from tests.faults.hostile import KINDS, Attacker
from tests.faults.results import record

pytestmark = [pytest.mark.alone, pytest.mark.timeout(3600 if FULL else 120)]
MAX_PAYLOAD = 65_536


@pytest.mark.parametrize("kind", BROKERS)
def test_hostile_messages_change_nothing_and_stop_nothing(arena, kind):
    attacks, pace, rate, alone = (100_000, 500, 1000, 30) if FULL else (2000, 500, 300, 1.5)
    reports = int((attacks / pace * (1.1 if FULL else 1.25) + alone) * rate) // 4 * 4
    drill = arena(kind, max_payload=MAX_PAYLOAD)
    drill.start_broker()
    regional = drill.start_regional()
    field = drill.start_field(reports, rate)
    until(lambda: drill.progress() >= rate / 3, "the first reports")
    attacker = Attacker(
        port=drill.port, http=drill.state / "http" / "rc", seed=SEED, max_payload=MAX_PAYLOAD
    )

    def applied_per_second(work) -> float:
        begun, before = time.monotonic(), drill.progress()
        work()
        return (drill.progress() - before) / (time.monotonic() - begun)

    try:
        undisturbed = applied_per_second(lambda: time.sleep(alone))
        until(lambda: attacker.heard >= 50, "traffic to be heard")
        disturbed = applied_per_second(lambda: attacker.attack(attacks, pace))
        drill.sent(field, 600)
        drained = drill.drained(60)
    finally:
        attacker.end()
    verdict = drill.judge()
    strangers = {
        (local, device)
        for local, device in drill.ask("rc", "SELECT local_id, device_id FROM devices")
    } - {(name, f"sim:{index}") for name in drill.names for index in range(DEVICES)}
    record("hostile messages", broker=kind, seed=SEED, sent=dict(attacker.sent),
           answers=dict(attacker.answers), accepted=verdict.accepted, lost=verdict.lost,
           twice=verdict.twice, wrong=verdict.wrong, rate_alone=round(undisturbed),
           rate=round(disturbed), drained=round(drained, 1))  # fmt: skip
    assert verdict.clean
    assert verdict.accepted == reports
    assert not strangers
    assert set(attacker.sent) == set(KINDS)
    assert not any(code in attacker.answers for code in (500, 502))
    assert regional.poll() is None, drill.log("rc")
    text = (drill.folder / "rc.log").read_text(errors="replace")
    assert "Traceback" not in text + (drill.folder / "field.log").read_text(errors="replace")
    assert "refused on" in text
    assert "quarantine" not in text
    if FULL:
        assert disturbed >= 0.9 * undisturbed
    drill.audit()
