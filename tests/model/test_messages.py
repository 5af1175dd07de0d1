"""Payloads that check themselves."""

from __future__ import annotations

import msgspec
import pytest

from pdsno_cli.model.messages import DELIVERY_ORDERS, Ack, Command, PolicyDocument


@pytest.mark.parametrize("order", DELIVERY_ORDERS)
def test_command_to_repair_needs_a_stream(order):
    with pytest.raises(ValueError, match=f"an order to {order} names its stream"):
        Command(order=order)
    assert Command(order=order, stream="events/r").epoch == 0


def test_command_about_policy_needs_one():
    with pytest.raises(ValueError, match="policy"):
        Command(order="policy")
    document = PolicyDocument(scope="r", version=1)
    assert Command(order="policy", policy=document).policy is document


@pytest.mark.parametrize(("epoch", "seq"), [(0, 1), (1, -1), (2**53, 1), (1, 2**53)])
def test_numbers_are_bounded_on_the_wire(epoch, seq):
    data = msgspec.json.encode({"stream": "s", "epoch": epoch, "seq": seq})
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(data, type=Ack)
