"""Details and history in a store."""

from __future__ import annotations

import time

from pdsno_cli.model.details import Detail, Interface, Neighbour, joined, pieces, whole
from pdsno_cli.model.devices import Device, Known
from pdsno_cli.model.history import DeviceChange
from pdsno_cli.nib.details_table import HISTORY_SECONDS

DETAIL = Detail(
    interfaces=(Interface(index=1, name="p1"),),
    neighbours=(Neighbour(interface="p1", protocol="cdp", name="core"),),
)


def stored(store):
    return [(item.device_id, item.brief, item.detail) for item in store.details()]


def put(store, *details, at=1.0):
    with store.transaction() as tx:
        tx.put_details("lc", details, at=at)


def brief(detail):
    return next(joined(pieces("d", detail, brief=True)))


def test_a_detail_is_stored_and_replaced(store):
    put(store, whole("d", Detail()))
    put(store, whole("d", DETAIL), at=2.0)
    (record,) = store.details()
    assert (record.local_id, record.device_id, record.at) == ("lc", "d", 2.0)
    assert (record.digest, record.detail) == (DETAIL.digest, DETAIL)
    assert store.detail_digests("lc") == {"d": DETAIL.digest}
    assert store.detail_digests("other") == {}


def test_a_brief_detail_does_not_replace_the_equal_one_with_interfaces(store):
    put(store, brief(DETAIL))
    assert stored(store) == [("d", True, brief(DETAIL).detail)]
    put(store, whole("d", DETAIL))
    put(store, brief(DETAIL))
    assert stored(store) == [("d", False, DETAIL)]
    put(store, brief(Detail(chassis="x")))
    assert stored(store) == [("d", True, Detail(chassis="x"))]


def test_details_and_history_go_with_their_device(store):
    device = Device(device_id="d", addresses=("10.0.0.1",), protocols=("icmp",))
    change = DeviceChange(device_id="d", kind="back")
    for forget in ("device", "local"):
        with store.transaction() as tx:
            tx.put_known("lc", "r", [Known(device=device)], seen=(), at=1.0)
            tx.put_details("lc", [whole("d", DETAIL)], at=1.0)
            tx.add_history("lc", [change], at=1.0)
        assert stored(store)
        with store.transaction() as tx:
            if forget == "device":
                tx.put_known("lc", "r", [], seen=(), at=2.0)
            else:
                tx.drop_local("lc")
        assert stored(store) == []
        assert store.history("lc", "d") == []


def test_history_is_in_order_and_ends_with_age(store):
    now = time.time()
    fields = {"sys_name": ("a", "b")}
    with store.transaction() as tx:
        tx.add_history("lc", [DeviceChange(device_id="d", kind="updated", fields=fields)], at=now)
        tx.add_history("lc", [DeviceChange(device_id="d", kind="inactive")], at=now - 9)
        tx.add_history(
            "lc", [DeviceChange(device_id="d", kind="back")], at=now - HISTORY_SECONDS - 9
        )
    assert [item.change.kind for item in store.history("lc", "d")] == [
        "back",
        "inactive",
        "updated",
    ]
    store.begin_epoch()
    assert [item.change.kind for item in store.history("lc", "d")] == ["inactive", "updated"]
    assert store.history("lc", "d")[-1].change.fields == fields
