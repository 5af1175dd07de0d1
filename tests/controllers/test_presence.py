from __future__ import annotations

from types import SimpleNamespace

import pytest

from pdsno_cli.controllers.presence import Presence
from pdsno_cli.model.roles import Role
from pdsno_cli.model.topics import TopicMap
from tests.controllers.clock import Clock

BEAT = 5.0


class World(Clock):
    """The presence of a local controller, and what it publishes."""

    def __init__(self) -> None:
        super().__init__()
        self.up = True
        self.published: list[tuple[float, str, int]] = []
        self.presence = Presence(
            SimpleNamespace(
                spec=SimpleNamespace(
                    controller_id="lc", role=Role.LOCAL, region="r", heartbeat=BEAT
                ),
                topology=SimpleNamespace(topics=TopicMap()),
                publisher=self,
                scheduler=self,
                process_label="host, process 1",
            )
        )

    def publish(self, topic, status) -> bool:
        assert topic == "pdsno/status/lc"
        if self.up:
            self.published.append((self.now, status.state, status.connection))
        return self.up


@pytest.fixture
def world():
    return World()


def test_announce_publishes_a_birth_and_a_heartbeat_at_the_interval(world):
    begun = world.now
    assert world.presence.announce(7)
    world.wait(2 * BEAT)
    assert world.published == [
        (begun, "birth", 7),
        (begun + BEAT, "heartbeat", 7),
        (begun + 2 * BEAT, "heartbeat", 7),
    ]


def test_announce_returns_false_if_no_transport_accepted_the_birth(world):
    world.up = False
    assert not world.presence.announce(1)


def test_a_second_connection_has_one_heartbeat_not_two(world):
    world.presence.announce(1)
    world.wait(BEAT / 2)
    world.presence.announce(2)
    world.wait(BEAT)
    assert [item[1:] for item in world.published[1:]] == [("birth", 2), ("heartbeat", 2)]


def test_stop_heartbeat_publishes_nothing_more(world):
    world.presence.announce(1)
    world.presence.stop_heartbeat()
    world.presence.stop_heartbeat()
    world.wait(5 * BEAT)
    assert len(world.published) == 1


def test_death_names_the_connection_and_the_process(world):
    status = world.presence.death(3, "will")
    assert (status.state, status.connection, status.reason) == ("death", 3, "will")
    assert (status.role, status.region, status.holder) == ("local", "r", "host, process 1")
