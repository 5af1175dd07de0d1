from __future__ import annotations

import gzip
import json
import socket
import stat
import sys
import threading
import time

import httpx
import pytest

from pdsno_cli.messaging import http_app, http_server
from pdsno_cli.messaging.http_challenge import prove
from pdsno_cli.messaging.http_server import HttpServer, split
from pdsno_cli.messaging.http_wire import MAX_MESSAGES, PATH, body_limit
from pdsno_cli.messaging.signing import Signer
from pdsno_cli.model.errors import OperationError
from tests.messaging.http_site import CHILD, PARENT, SIGNER, Parent, sealed, status, topic_of
from tests.messaging.samples import LIMIT, TOPICS


@pytest.fixture
def parent():
    made = Parent()
    yield made
    made.stop()


@pytest.fixture
def http(parent):
    with httpx.Client(base_url=f"http://{parent.address}", timeout=15, trust_env=False) as made:
        yield made


def body(*messages: tuple[str, bytes], seen: str = "") -> bytes:
    items = [{"topic": topic, "data": data.decode()} for topic, data in messages]
    return json.dumps({"messages": items, "seen": seen}).encode()


def proven(http, *messages: tuple[str, bytes], seen: str = "") -> bytes:
    """Return a request of the child, with a proof over a fresh nonce."""
    nonce = http.post(PATH, json={"messages": [], "sender": CHILD}).json()["nonce"]
    request = json.loads(body(*messages, seen=seen))
    proof = prove(SIGNER, PARENT, CHILD, nonce, seen)
    return json.dumps(request | {"sender": CHILD, "nonce": nonce, "proof": proof}).encode()


def post(http, content: bytes, **headers: str) -> httpx.Response:
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    return http.post(PATH, content=content, headers=named)


def report() -> tuple[str, bytes]:
    return topic_of("discovery_report"), sealed("discovery_report")


def beat(seq: int = 1, *, epoch: int = 1) -> tuple[str, bytes]:
    return TOPICS.status(CHILD), status(seq, epoch=epoch)


def test_message_is_passed_on_byte_for_byte_and_answered_once_committed(parent, http):
    parent.held = True
    sent = report()
    answers = []
    poster = threading.Thread(target=lambda: answers.append(post(http, body(sent, beat()))))
    poster.start()
    first, second = parent.wait(2)
    assert (first.topic, first.data) == sent
    first.release()
    assert not answers
    second.release()
    poster.join(15)
    assert answers[0].status_code == 200
    assert answers[0].json()["accepted"] == 2
    assert answers[0].json()["controller"] == PARENT


def test_batch_not_committed_in_time_is_answered_with_503(parent, http, monkeypatch):
    monkeypatch.setattr(http_app, "COMMIT_WAIT", 0.05)
    parent.held = True
    answer = post(http, body(report()))
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert answer.json() == {"error": "not committed in time: send it again"}


def test_acknowledgement_is_in_the_answer_to_its_message(parent, http):
    ack = topic_of("ack"), sealed("ack")

    def commit_and_acknowledge_a_moment_later():
        threading.Timer(0.01, parent.queues.offer, ack, {"retain": False}).start()

    parent.on_commit = commit_and_acknowledge_a_moment_later
    answer = post(http, proven(http, report())).json()
    assert answer["messages"] == [{"topic": ack[0], "data": ack[1].decode()}]


def test_new_client_gets_the_retained_policy_until_it_confirms(parent, http):
    policy = topic_of("policy"), sealed("policy")
    parent.queues.offer(*policy, retain=True)
    first = post(http, proven(http, beat(1))).json()
    assert [item["topic"] for item in first["messages"]] == [policy[0]]
    again = post(http, proven(http, beat(2))).json()  # as if the first answer had been lost
    assert again["messages"] == first["messages"]
    assert "messages" not in post(http, proven(http, beat(3), seen=again["seen"])).json()


def polled(http, content: bytes) -> list[str]:
    return [item["data"] for item in post(http, content).json().get("messages", [])]


def test_replayed_heartbeat_gets_no_messages_and_drops_none(parent, http):
    """Acknowledgements were fetched, and dropped with the cursor that came with them, by anybody."""
    policy, ack = sealed("policy"), sealed("ack")
    parent.queues.offer(topic_of("policy"), policy, retain=True)
    mine = post(http, proven(http, beat())).json()
    parent.queues.offer(topic_of("ack"), ack, retain=False)
    wanted = [policy.decode(), ack.decode()]
    bare = body(beat())  # as it was received
    assert polled(http, bare) == []
    assert polled(http, body(seen=mine["seen"])) == []
    named = json.loads(bare) | {"sender": CHILD}
    nonce = post(http, json.dumps(named).encode()).json()["nonce"]
    for proof in ("", "0" * 64, prove(Signer(bytes(32)), PARENT, CHILD, nonce, "")):
        answer = post(http, json.dumps(named | {"nonce": nonce, "proof": proof}).encode()).json()
        assert "messages" not in answer
        assert "proven" not in answer
    assert polled(http, proven(http)) == wanted


def test_replayed_request_gets_no_messages(parent, http):
    parent.queues.offer(topic_of("policy"), sealed("policy"), retain=True)
    request = proven(http, beat())
    assert len(polled(http, request)) == 1
    assert polled(http, request) == []
    assert len(polled(http, proven(http))) == 1


def test_proof_is_valid_for_one_cursor_only(parent, http):
    parent.queues.offer(topic_of("policy"), sealed("policy"), retain=True)
    seen = post(http, proven(http, beat())).json()["seen"]
    changed = json.loads(proven(http)) | {"seen": seen}
    assert polled(http, json.dumps(changed).encode()) == []
    assert len(polled(http, proven(http))) == 1


def test_each_answer_gives_the_nonce_for_the_next_request(parent, http):
    parent.queues.offer(topic_of("policy"), sealed("policy"), retain=True)
    answer = post(http, proven(http, beat())).json()
    for _ in range(3):
        assert answer["proven"]
        proof = prove(SIGNER, PARENT, CHILD, answer["nonce"], "")
        again = {"messages": [], "sender": CHILD, "nonce": answer["nonce"], "proof": proof}
        answer = post(http, json.dumps(again).encode()).json()
        assert len(answer["messages"]) == 1


def test_unsigned_message_is_passed_on_to_be_refused_and_gets_no_messages(parent, http):
    parent.queues.offer(topic_of("policy"), sealed("policy"), retain=True)
    answer = post(http, body((TOPICS.status(CHILD), b'{"sender_id": "lc_1"}'))).json()
    assert answer == {"controller": PARENT, "accepted": 1, "links": ["http"]}
    assert parent.wait(1)


def test_topic_that_is_not_for_this_controller_is_left_out(parent, http):
    elsewhere = TOPICS.discovery("zone-B", CHILD)
    answer = post(http, body((elsewhere, b"{}"), ("", b""), ("#", b"")))
    assert answer.status_code == 200
    assert answer.json()["accepted"] == 0
    assert parent.arrivals == []


def test_gzip_is_accepted_and_returned(parent, http):
    policy = TOPICS.policy("zone-A"), b" " * 10_000
    parent.queues.offer(*policy, retain=True)
    answer = post(http, gzip.compress(proven(http, beat())), content_encoding="gzip")
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.json()["messages"] == [{"topic": policy[0], "data": policy[1].decode()}]
    plain = post(http, proven(http, beat(2)), accept_encoding="identity")
    assert "content-encoding" not in plain.headers
    assert plain.json()["messages"] == answer.json()["messages"]


GZIP = {"content_encoding": "gzip"}
BAD = {
    "nothing": (lambda: b"", {}, 400, "truncated"),
    "no json": (lambda: b"not json", {}, 400, "malformed"),
    "no list": (lambda: b'{"messages": 5}', {}, 400, "expected `array`"),
    "no data": (lambda: b'{"messages": [{"topic": "t"}]}', {}, 400, "`data`"),
    "no text": (lambda: b'{"messages": [{"topic": "t", "data": 7}]}', {}, 400, "expected `str`"),
    "no utf-8": (lambda: b'{"messages": [{"topic": "t", "data": "\xff\xfe"}]}', {}, 400, "utf-8"),
    "half a surrogate": (
        lambda: b'{"messages": [{"topic": "t", "data": "\\ud800"}]}', {}, 400, "truncated",
    ),
    "deep": (lambda: b"[" * 200_000, {}, 400, "expected `object`"),
    "deep where nobody looks": (lambda: b'{"x": ' + b"[" * 200_000, {}, 400, "deep"),
    "no gzip": (lambda: b"\x1f\x8b not gzip at all", GZIP, 400, "is not gzip"),
    "half a gzip": (lambda: gzip.compress(b'{"messages": []}')[:-9], GZIP, 400, "truncated"),
    "brotli": (lambda: b"{}", {"content_encoding": "br"}, 400, "'br' is not supported"),
    "too large": (lambda: b" " * (body_limit(LIMIT) + 1), {}, 413, "is over"),
    "too large inflated": (lambda: gzip.compress(b" " * 20_000_000), GZIP, 413, "is over"),
    "too many": (lambda: body(*[("t", b"")] * (MAX_MESSAGES + 1)), {}, 413, "at most 200"),
}  # fmt: skip


@pytest.mark.parametrize("bad", BAD)
def test_bad_request_is_refused_in_one_line(parent, http, bad):
    content, headers, code, words = BAD[bad]
    answer = post(http, content(), **headers)
    assert answer.status_code == code
    (text,) = answer.json().values()
    assert words in text.lower()
    assert "\n" not in text
    assert len(text) < 200
    assert parent.arrivals == []
    assert http.get("/healthz").status_code == 200  # it is none the worse for it


def test_gzip_bomb_is_never_inflated_beyond_the_limit(parent, http):
    import resource

    bomb = gzip.compress(b"[" * 500_000_000, compresslevel=1)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert post(http, bomb, content_encoding="gzip").status_code == 413
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < (100_000 if sys.platform == "linux" else 100_000_000)


def test_unknown_path_and_method_are_refused_with_the_known_ones(http):
    assert http.get("/").status_code == 404
    assert http.get("/docs").status_code == 404
    assert http.get(PATH).status_code == 405
    assert PATH in http.get("/nothing").json()["error"]


def test_noise_on_the_port_does_not_end_the_server(parent, http):
    with socket.create_connection(("127.0.0.1", parent.server.port)) as raw:
        raw.sendall(b"\x00\xff" * 1000 + b"\r\n\r\n")
        assert b"400" in raw.recv(1000)
    assert http.get("/healthz").status_code == 200


def test_healthz_names_the_controller_and_its_transports(parent, http):
    parent.transports = ("mqtt", "http")
    answer = http.get("/healthz")
    assert answer.status_code == 200
    assert answer.json() == {
        "controller": PARENT, "epoch": 7, "transport": "http", "links": ["mqtt", "http"]
    }  # fmt: skip
    parent.active = None
    assert http.get("/healthz").status_code == 503


def test_address_file_is_private_and_removed_at_the_end(tmp_path):
    file = tmp_path / "rc_1"
    parent = Parent(address_file=file)
    try:
        assert file.read_text() == f"{parent.address}\n"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert [item.name for item in tmp_path.iterdir()] == ["rc_1"]
    finally:
        parent.stop()
    assert not file.exists()


def test_unused_server_loads_nothing_and_stops_immediately(parent, monkeypatch):
    monkeypatch.setattr(http_server, "_JOIN", 30.0)
    began = time.monotonic()
    port = parent.server.port
    assert parent.server._server is None
    parent.stop()
    assert time.monotonic() - began < 15
    with (
        pytest.raises(ConnectionRefusedError),
        socket.create_connection(("127.0.0.1", port)),
    ):
        pass


@pytest.mark.timeout(30)
def test_warm_never_blocks(parent, http):
    assert http.get("/healthz").status_code == 200  # it is loaded: nothing more wakes it
    for _ in range(10_000):
        parent.ingress.warm()
    assert http.get("/healthz").status_code == 200


def test_port_in_use_is_one_clear_sentence(parent):
    other = HttpServer(port=parent.server.port)
    sentence = f"HTTP cannot be served on 127.0.0.1 port {parent.server.port}: Address already"
    with pytest.raises(OperationError, match=sentence):
        other.start(None)


@pytest.mark.parametrize(
    ("address", "host", "port"),
    [("10.0.0.5:8443", "10.0.0.5", 8443), ("[::1]:1", "::1", 1), ("a.example:80", "a.example", 80)],
)
def test_split_accepts_every_address_of_the_schema(address, host, port):
    assert split(address) == (host, port)
