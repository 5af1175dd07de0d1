"""The answers of a lab's hosts, frame by frame, read by scapy."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdsno_cli.lab.frames import MOST_BYTES, Host, answer

US, THEIRS = "02:00:00:00:00:01", "02:4c:0a:4d:00:05"
ADDRESS, SOURCE = "10.77.0.5", "192.0.0.8"


@pytest.fixture(scope="module")
def layers():
    from scapy.config import conf

    conf.ipv6_enabled = False
    from scapy.layers import inet, l2

    return {"Ether": l2.Ether, "ARP": l2.ARP, "IP": inet.IP, "ICMP": inet.ICMP, "UDP": inet.UDP}


def host(*, echo=True, answers=lambda data: b"<" + data + b">"):
    return Host(
        mac=bytes.fromhex(THEIRS.replace(":", "")),
        address=bytes(int(part) for part in ADDRESS.split(".")),
        echo=echo,
        port=161,
        answer=answers,
    )


def reply(frame, layers, **options):
    found = host(**options)
    answered = answer(bytes(frame), {found.address: found})
    return None if answered is None else layers["Ether"](answered)


def request(layers, payload, *, to=THEIRS, address=ADDRESS):
    return layers["Ether"](src=US, dst=to) / layers["IP"](src=SOURCE, dst=address) / payload


def test_arp_is_answered_with_the_mac_of_the_host(layers):
    asked = layers["Ether"](src=US, dst="ff:ff:ff:ff:ff:ff") / layers["ARP"](
        op="who-has", hwsrc=US, psrc=SOURCE, pdst=ADDRESS
    )
    found = reply(asked, layers)
    arp = found["ARP"]
    assert (found.src, found.dst, arp.op) == (THEIRS, US, 2)
    assert (arp.hwsrc, arp.psrc, arp.hwdst, arp.pdst) == (THEIRS, ADDRESS, US, SOURCE)
    assert reply(asked, layers, echo=False) is not None
    asked["ARP"].pdst = "10.77.0.6"
    assert reply(asked, layers) is None
    asked["ARP"].pdst = asked["ARP"].psrc = ADDRESS  # an announcement
    assert reply(asked, layers) is None


@pytest.mark.parametrize("size", [0, 1, 56, 57, 1400])
def test_echo_is_answered_with_the_same_data_and_right_checksums(layers, size):
    asked = request(layers, layers["ICMP"](id=77, seq=3) / (b"x" * size))
    found = reply(asked, layers)
    assert (found["IP"].src, found["IP"].dst) == (ADDRESS, SOURCE)
    icmp = found["ICMP"]
    assert (icmp.type, icmp.id, icmp.seq, bytes(icmp.payload)) == (0, 77, 3, b"x" * size)
    for layer in (found["IP"], icmp):
        stated = layer.chksum
        del layer.chksum
        assert type(layer)(bytes(layer)).chksum == stated
    assert reply(asked, layers, echo=False) is None


def test_udp_to_the_agent_is_answered_by_it(layers):
    found = reply(request(layers, layers["UDP"](sport=4000, dport=161) / b"hi"), layers)
    assert (found["UDP"].sport, found["UDP"].dport) == (161, 4000)
    assert bytes(found["UDP"].payload) == b"<hi>"


def test_udp_to_another_port_is_unreachable(layers):
    asked = request(layers, layers["UDP"](sport=4000, dport=162) / b"hi")
    found = reply(asked, layers)
    assert (found["ICMP"].type, found["ICMP"].code) == (3, 3)
    assert bytes(found["ICMP"].payload)[:20] == bytes(asked["IP"])[:20]
    assert reply(asked, layers, echo=False) is None


@pytest.mark.parametrize(
    "change",
    [{"to": "02:00:00:00:00:99"}, {"to": "ff:ff:ff:ff:ff:ff"}, {"address": "10.77.0.6"}],
)
def test_what_is_for_others_is_not_answered(layers, change):
    assert reply(request(layers, layers["ICMP"](), **change), layers) is None


def test_an_answer_that_fits_no_frame_and_no_answer_are_silence(layers):
    asked = request(layers, layers["UDP"](sport=4000, dport=161) / b"hi")
    assert reply(asked, layers, answers=lambda _: None) is None
    assert reply(asked, layers, answers=lambda _: b"x" * (MOST_BYTES + 1)) is None
    assert len(reply(asked, layers, answers=lambda _: b"x" * MOST_BYTES)) == 1514


@given(st.data())
def test_damaged_frames_raise_nothing(layers, data):
    kind = data.draw(st.sampled_from(["ICMP", "UDP"]))
    frame = bytearray(bytes(request(layers, layers[kind]() / b"data")))
    for _ in range(data.draw(st.integers(0, 4))):
        frame[data.draw(st.integers(0, len(frame) - 1))] = data.draw(st.integers(0, 255))
    found = host()
    answer(bytes(frame[: data.draw(st.integers(0, len(frame)))]), {found.address: found})
