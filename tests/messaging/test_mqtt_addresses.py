"""A broker with several addresses: each is tried in turn, and left when it goes away."""

from __future__ import annotations

import socket

import pytest

from pdsno_cli.model.addresses import Address, parse_address
from tests.conftest import free_port
from tests.messaging.brokers import Mosquitto


@pytest.fixture
def two(tmp_path):
    """Two Mosquittos that know nothing of each other."""
    made = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        made.append(Mosquitto(tmp_path / name))
        made[-1].start()
    yield made
    for broker in made:
        broker.kill()


def at(*ports: int) -> list[Address]:
    return [Address("127.0.0.1", port) for port in ports]


def test_next_address_is_tried_immediately_and_each_failure_is_named(connect, mosquitto, caplog):
    caplog.set_level("INFO")
    dead, alive = free_port(), mosquitto().port
    _, recorder = connect(0, "one", addresses=at(dead, alive))
    recorder.wait_up()
    assert recorder.ups == [(2, False)]
    assert len(recorder.downs) == 1
    assert f"127.0.0.1:{dead}: connection refused" in recorder.downs[0]
    assert f"connected to broker 127.0.0.1:{alive}" in caplog.text


def test_client_moves_to_the_second_broker_and_back(connect, two, topic_root):
    first, second = two
    one, recorder = connect(0, "one", f"{topic_root}/#", addresses=at(first.port, second.port))
    recorder.wait_up()
    first.kill()
    recorder.wait_up(2)
    assert f"127.0.0.1:{first.port}: the broker closed" in recorder.downs[0]
    _, other = connect(second, "other", f"{topic_root}/#")
    other.wait_up()
    assert one.publish(f"{topic_root}/a", b"here", qos=1, retain=False)
    other.wait_messages(1)
    first.start()
    second.kill()
    recorder.wait_up(3)


def test_failed_round_of_addresses_backs_off_and_continues(connect, mosquitto):
    ports = free_port(), free_port()
    _, recorder = connect(0, "one", addresses=at(*ports))
    recorder.wait(lambda r: len(r.downs) >= 4)
    for number, line in enumerate(recorder.downs[:4]):
        assert str(ports[number % 2]) in line


def test_an_ipv6_address_is_connected_to(connect, mosquitto):
    try:
        with socket.socket(socket.AF_INET6) as sock:
            sock.bind(("::1", 0))
            port = sock.getsockname()[1]
    except OSError:
        pytest.skip("no IPv6 here")
    mosquitto("allow_anonymous true", f"listener {port} ::1")
    _, recorder = connect(0, "one", addresses=[parse_address(f"[::1]:{port}", 1883)])
    recorder.wait_up()


def test_an_ipv6_address_is_written_with_brackets(connect):
    port = free_port()
    _, recorder = connect(0, "one", addresses=[Address("::1", port)])
    recorder.wait(lambda r: r.downs)
    assert f"broker [::1]:{port}: " in recorder.downs[0]
