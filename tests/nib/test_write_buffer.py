"""Reports in one transaction leave the store as they would one by one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pdsno_cli.model.devices import Device
from pdsno_cli.nib.store import Store


def device(number, name, uptime):
    return Device(
        device_id=f"ip:192.0.2.{number}",
        addresses=(f"192.0.2.{number}",),
        protocols=("icmp", "snmp"),
        sys_name=name,
        uptime=uptime,
    )


DEVICES = st.builds(device, st.integers(1, 3), st.sampled_from("abc"), st.sampled_from([1.0, 2.0]))
REPORT = st.fixed_dictionaries(
    {
        "local_id": st.sampled_from(["l1", "l2"]),
        "region": st.sampled_from(["r1", "r1", "r1", "r2"]),
        "new": st.lists(DEVICES, max_size=2),
        "updated": st.lists(DEVICES, max_size=4),
        "inactive": st.lists(st.integers(1, 3).map("ip:192.0.2.{}".format), max_size=1),
        "snapshot": st.sampled_from([False, False, False, True]),
    }
)


@given(st.lists(REPORT, max_size=12))
def test_reports_in_one_transaction_store_the_same_as_in_one_each(reports):
    with Store.open(":memory:") as each, Store.open(":memory:") as together:
        lost = []
        for report in reports:
            with each.transaction() as tx:
                lost.append(tx.apply_changes(**report, at=1.0))
        with together.transaction() as tx:
            assert lost == [tx.apply_changes(**report, at=1.0) for report in reports]
        assert together.device_records() == each.device_records()


def test_a_device_reported_many_times_in_one_transaction_counts_each_change_once():
    with Store.open(":memory:") as store:
        with store.transaction() as tx:
            for name in ("a", "a", "b", "b", "a"):
                tx.apply_changes(
                    local_id="l", region="r", new=(), updated=[device(1, name, 1.0)], inactive=(),
                    snapshot=False, at=1.0,
                )  # fmt: skip
        (record,) = store.device_records()
        assert (record.version, record.device.sys_name) == (3, "a")
