"""One controller's delivery on a real store, with a clock and a transport of the test's own."""

from __future__ import annotations

from contextlib import closing

import pytest

from pdsno_cli.delivery.endpoint import Endpoint, events_topic
from pdsno_cli.delivery.live_topology import LiveTopology
from pdsno_cli.delivery.publisher import Publisher
from pdsno_cli.lint.engine import require
from pdsno_cli.messaging.codec import Codec
from pdsno_cli.model.messages import Envelope
from pdsno_cli.nib.store import Store
from tests.conftest import ONE_OF_EACH
from tests.controllers.clock import Clock

KEY = bytes(range(32))


class Wire(Clock):
    """A scheduler, and a transport that accepts what it is told to; keeps what was published."""

    def __init__(self) -> None:
        super().__init__()
        self.up = True
        self.refuses: Exception | None = None
        self.published: list[tuple[str, bytes, int, bool]] = []
        self.backlogs: list[int] = []
        self.notices: list = []

    def publish(self, topic, data, *, qos, retain, expiry=None) -> bool:
        if self.refuses is not None:
            raise self.refuses
        if self.up:
            self.published.append((topic, data, qos, retain))
        return self.up

    def notice(self, notice) -> None:
        self.notices.append(notice)


class Host:
    """The endpoint of one controller of a topology with one of each role."""

    def __init__(self, store, topology, name, epoch=1_700_000_000) -> None:
        self.wire = Wire()
        self.codec = Codec(KEY, topology.topics, 100_000)
        self.endpoint = Endpoint(
            controller_id=name,
            live=LiveTopology(topology),
            store=store,
            publisher=Publisher(
                sender_id=name,
                epoch=epoch,
                codec=self.codec,
                topics=topology.topics,
                transport=self.wire,
                store=store,
                scheduler=self.wire,
                limits=topology.outbox,
                events_topic=topology.topics.events(topology.controllers[name].region or "system"),
                on_backlog=self.wire.backlogs.append,
            ),
            scheduler=self.wire,
            watcher=self.wire,
        )
        self.store, self.topology, self.publisher = store, topology, self.endpoint.publisher
        self.events_topic = events_topic(self.endpoint)

    def opened(self, topic: str | None = None) -> list[Envelope]:
        """Return the messages that were published, on ``topic`` only where one is given."""
        return [
            self.codec.open(on, data)
            for on, data, _, _ in self.wire.published
            if topic is None or on == topic
        ]


@pytest.fixture
def topology(tmp_path):
    (tmp_path / "one.yaml").write_text(ONE_OF_EACH)
    return require(str(tmp_path / "one.yaml"))


@pytest.fixture
def host(tmp_path, topology):
    """Return what makes the endpoint of a controller, on a store of its own."""
    stores = []

    def make(name: str, **options) -> Host:
        stores.append(Store.open(tmp_path / f"{name}.db"))
        return Host(stores[-1], topology, name, **options)

    yield make
    for store in stores:
        with closing(store):
            pass
