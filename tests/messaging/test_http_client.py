from __future__ import annotations

import socket
import threading

import pytest

from pdsno_cli.messaging.http_client import HttpClient
from pdsno_cli.messaging.http_sender import CAPACITY
from pdsno_cli.messaging.transport import Publication
from pdsno_cli.model.topics import GLOBAL
from tests.messaging.http_site import CHILD, Parent, make_client, sealed, status, topic_of
from tests.messaging.recorder import Recorder
from tests.messaging.samples import TOPICS


@pytest.fixture
def parent():
    made = Parent()
    yield made
    made.stop()


@pytest.fixture
def client():
    made = []

    def make(*args, **kwargs):
        made.append(make_client(*args, **kwargs))
        recorder = Recorder()
        made[-1].start(recorder)
        return made[-1], recorder

    yield make
    for item in made:
        item.stop()


def beat(client: HttpClient, seq: int = 1) -> bool:
    return client.publish(TOPICS.status(CHILD), status(seq), qos=0, retain=True)


def test_client_is_up_once_its_parent_answers(parent, client):
    made, recorder = client(parent.address)
    assert not beat(made) or recorder.ups
    recorder.wait_up()
    assert beat(made)
    assert parent.wait(1)[0].topic == TOPICS.status(CHILD)


def test_messages_arrive_in_order_and_byte_for_byte(parent, client):
    made, recorder = client(parent.address)
    recorder.wait_up()
    reports = [sealed("discovery_report", seq=number) for number in range(1, 301)]
    for report in reports:
        assert made.publish(topic_of("discovery_report"), report, qos=1, retain=False)
    assert [arrival.data for arrival in parent.wait(300)] == reports


def test_queued_messages_arrive_in_an_answer(parent, client):
    policy = sealed("policy")
    parent.queues.offer(topic_of("policy"), policy, retain=True)
    made, recorder = client(parent.address)
    recorder.wait_up()
    beat(made)
    recorder.wait_messages(1)
    assert recorder.messages == [(topic_of("policy"), policy, False)]


def test_messages_beyond_one_answer_are_fetched_immediately(parent, client):
    made, recorder = client(parent.address)
    recorder.wait_up()
    beat(made)
    parent.wait(1)
    for number in range(450):
        parent.queues.offer(TOPICS.ack(CHILD), b"%d" % number, retain=False)
    beat(made, 2)
    recorder.wait_messages(450)
    assert recorder.data == [b"%d" % number for number in range(450)]


def test_client_is_down_when_its_parent_ends_and_up_when_it_is_back_elsewhere(client):
    parent = Parent()
    where = [parent.address]
    made, recorder = client(lambda: where[0])
    recorder.wait_up()
    parent.stop()
    assert beat(made)
    recorder.wait(lambda r: r.downs)
    assert "Connection refused" in recorder.downs[0] or "disconnected" in recorder.downs[0]
    other = Parent()
    try:
        where[0] = other.address
        recorder.wait_up(2)
        assert recorder.ups == [(1, False), (2, False)]
        assert beat(made, 2)
        other.wait(1)
    finally:
        other.stop()


def test_another_controller_on_the_port_counts_as_down(parent, client):
    _, recorder = client(parent.address, controller_id="rc_2")
    recorder.wait(lambda r: r.downs)
    assert "'rc_1' answers at this address" in recorder.downs[0]
    assert not recorder.ups


@pytest.mark.parametrize(
    "noise", [b"", b"SSH-2.0-x\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nnope"]
)
def test_another_service_on_the_port_counts_as_down(client, noise):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            line, _ = server.accept()
            with line:
                line.recv(65_536)
                line.sendall(noise)

        thread = threading.Thread(target=answer)
        thread.start()
        _, recorder = client(f"127.0.0.1:{server.getsockname()[1]}")
        recorder.wait(lambda r: r.downs)
        thread.join(15)
    assert not recorder.ups


@pytest.mark.parametrize("address", [None, "127.0.0.1:1", "nonsense", "[::1", "127.0.0.1:99999"])
def test_unusable_address_counts_as_down(client, address):
    made, recorder = client(address)
    recorder.wait(lambda r: r.downs)
    assert not beat(made)


def test_busy_parent_is_retried_and_no_message_is_lost(parent, client, monkeypatch):
    monkeypatch.setattr("pdsno_cli.messaging.http_app.COMMIT_WAIT", 0.05)
    parent.held = True
    made, recorder = client(parent.address)
    recorder.wait_up()
    made.publish(topic_of("discovery_report"), sealed("discovery_report"), qos=1, retain=False)
    parent.wait(1)
    parent.held = False
    first, second = parent.wait(2)[:2]
    assert first.data == second.data
    assert not recorder.downs


def test_publish_returns_false_without_a_receiver_and_with_a_full_queue(parent, client):
    made, recorder = client(parent.address)
    recorder.wait_up()
    assert not made.publish(TOPICS.ack(CHILD), b"x", qos=1, retain=False)
    assert not made.reaches(TOPICS.ack(CHILD))
    parent.held = True
    taken = [
        made.publish(topic_of("discovery_report"), b"x", qos=1, retain=False)
        for _ in range(CAPACITY + 300)
    ]
    assert taken[0]
    assert not all(taken)


def test_farewell_is_delivered_before_the_end(parent, client):
    made, recorder = client(parent.address)
    recorder.wait_up()
    farewell = Publication(topic=TOPICS.status(CHILD), data=status(9), qos=1, retain=True)
    made.stop(farewell)
    assert [arrival.data for arrival in parent.arrivals] == [farewell.data]


def test_client_can_be_started_again(parent, client):
    made, recorder = client(parent.address)
    recorder.wait_up()
    made.stop()
    assert not beat(made)
    made.start(recorder)
    recorder.wait_up(2)
    assert beat(made)


def test_client_without_receivers_is_up_at_once():
    made, recorder = HttpClient([]), Recorder()
    made.start(recorder)
    assert recorder.ups == [(1, False)]
    assert made.parent_transports is None
    assert not made.publish(TOPICS.policy(GLOBAL), b"x", qos=1, retain=True)


def test_transports_of_the_parent_are_known_from_its_answers(parent, client):
    made, recorder = client(parent.address)
    recorder.wait_up()
    assert made.parent_transports == {"http"}
    parent.transports = ("mqtt", "http")
    parent.queues.offer(topic_of("policy"), sealed("policy"), retain=True)
    beat(made)
    recorder.wait_messages(1)
    assert made.parent_transports == {"mqtt", "http"}
