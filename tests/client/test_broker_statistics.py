from __future__ import annotations

from pdsno_cli.client.broker_statistics import measures


def test_measures_have_the_order_of_the_output_and_leave_out_what_is_not_published():
    found = measures(
        {
            "$SYS/broker/publish/messages/dropped": b"3",
            "$SYS/broker/version": b"mosquitto version 2.0.11",
            "$SYS/broker/heap/current": b"33752",
        }
    )
    assert list(found.items()) == [
        ("version", "mosquitto version 2.0.11"),
        ("messages dropped", "3"),
    ]


def test_text_of_a_broker_does_nothing_to_a_terminal():
    assert measures({"$SYS/broker/version": b"\x1b[2J\xff"})["version"].isprintable()
