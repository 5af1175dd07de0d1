"""A controller's HTTP side on a free loopback port, and children that come to it."""

from __future__ import annotations

import threading

from pdsno_cli.messaging.codec import Codec
from pdsno_cli.messaging.http_challenge import Identity, Nonces
from pdsno_cli.messaging.http_client import HttpClient
from pdsno_cli.messaging.http_sender import HttpReceiver
from pdsno_cli.messaging.http_server import HttpIngress, HttpServer
from pdsno_cli.messaging.http_wire import body_limit
from pdsno_cli.messaging.poll_queues import PollClient, PollQueues
from pdsno_cli.messaging.signing import Signer
from pdsno_cli.messaging.transport import Arrival
from pdsno_cli.model.messages import Status
from pdsno_cli.model.topics import GLOBAL, matches
from tests.messaging.samples import KEY, LIMIT, SAMPLES, TOPICS

PARENT = "rc_1"
CHILD = "lc_1"
WANTED = (TOPICS.discovery("zone-A", "+"), TOPICS.policy(GLOBAL), TOPICS.status(CHILD))
CHILD_WANTS = (
    TOPICS.policy(GLOBAL),
    TOPICS.policy("zone-A"),
    TOPICS.ack(CHILD),
    TOPICS.command(CHILD),
)
CODEC = Codec(KEY, TOPICS, LIMIT)
SIGNER = Signer(KEY)


def sealed(kind: str, *, epoch: int = 1, seq: int = 1, sender: str | None = None) -> bytes:
    payload, topic, owner = SAMPLES[kind]
    return CODEC.seal(
        topic=topic,
        sender_id=sender or owner,
        message_type=kind,
        payload=payload,
        epoch=epoch,
        seq=seq,
    )


def topic_of(kind: str) -> str:
    return SAMPLES[kind][1]


def status(seq: int, *, epoch: int = 1) -> bytes:
    beat = Status(state="heartbeat", role="local", region="zone-A", connection=1, heartbeat=1.0)
    return CODEC.seal(
        topic=TOPICS.status(CHILD),
        sender_id=CHILD,
        message_type="status",
        payload=beat,
        epoch=epoch,
        seq=seq,
    )


def make_queues(**options) -> PollQueues:
    settings = {
        "open_message": CODEC.open,
        "admit": lambda envelope: (
            PollClient(filters=CHILD_WANTS, heartbeat=1.0) if envelope.sender_id == CHILD else None
        ),
        "relayed": frozenset({TOPICS.policy(GLOBAL)}),
    }
    return PollQueues(**(settings | options))


class Parent:
    """An ingress; ``arrivals`` are released by themselves unless ``held``."""

    def __init__(self, address_file=None, port: int = 0) -> None:
        self.held = False
        self.arrivals: list[Arrival] = []
        self.active: str | None = "http"
        self.transports: tuple[str, ...] = ("http",)
        self.queues = make_queues()
        self.on_commit = lambda: None
        self._changed = threading.Condition()
        self.server = HttpServer(port=port, address_file=address_file)
        self.ingress = HttpIngress(
            controller_id=PARENT,
            epoch=7,
            server=self.server,
            queues=self.queues,
            nonces=Nonces(PARENT, SIGNER),
            receives=lambda topic: any(matches(item, topic) for item in WANTED),
            acknowledges=lambda topic: "/discovery/" in topic,
            max_body=body_limit(LIMIT),
        )
        self.ingress.start(
            self._receive, transports=lambda: self.transports, active=lambda: self.active
        )

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server.port}"

    def _receive(self, arrival: Arrival) -> None:
        with self._changed:
            self.arrivals.append(arrival)
            self._changed.notify_all()
        if not self.held:
            self.on_commit()
            arrival.release()

    def wait(self, count: int) -> list[Arrival]:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.arrivals) >= count, 15), self.arrivals
            return list(self.arrivals)

    def stop(self) -> None:
        self.server.stop()


def make_client(address, *, controller_id: str = PARENT, source: str | None = None) -> HttpClient:
    return HttpClient(
        [
            HttpReceiver(
                controller_id=controller_id,
                filters=WANTED,
                address=address if callable(address) else lambda: address,
                parent=True,
            )
        ],
        identity=Identity(controller_id=CHILD, signer=SIGNER),
        source=source,
    )
