"""What each level holds of a local controller is compared by count and hash."""

from __future__ import annotations

import pytest

from pdsno_cli.client.inventories import inventories
from pdsno_cli.lint.engine import require
from pdsno_cli.model.devices import Device, Known
from pdsno_cli.nib.contents import contents
from pdsno_cli.nib.outbox_table import OutboxRecord
from pdsno_cli.nib.store import Store
from pdsno_cli.runtime.state_dir import StateDir
from tests.conftest import ONE_OF_EACH


def device(name, **changes):
    return Device(device_id=name, **{"addresses": ("10.0.0.1",), "protocols": ("icmp",), **changes})


A, B = device("a"), device("b", sys_name="sw")


class Levels:
    """The stores of a local, a regional and a global controller."""

    def __init__(self, folder) -> None:
        self.state = StateDir(folder / "state")
        self.state.make()
        file = folder / "t.yaml"
        file.write_text(ONE_OF_EACH)
        self.topology = require(str(file))
        self.stores = {name: Store.open(self.state.store(name)) for name in ("gc", "rc", "lc")}

    def hold(self, where: str, *devices: Device, local_id="lc") -> None:
        with self.stores[where].transaction() as tx:
            if where == "lc":
                tx.put_known("lc", "r", [Known(device=d) for d in devices], seen=(), at=1.0)
            else:
                tx.apply_changes(
                    local_id=local_id, region="r", new=devices, updated=(), inactive=(),
                    snapshot=True, at=1.0,
                )  # fmt: skip

    def wait(self, where: str, stream: str) -> None:
        with self.stores[where].transaction() as tx:
            tx.enqueue(
                OutboxRecord(
                    stream=stream, epoch=1, seq=1, topic="t", data=b"", qos=1, retain=False
                )
            )

    def verdicts(self) -> dict[str, str]:
        found = inventories(self.topology, self.state, timeout=0.0)
        return {item.local_id: item.verdict for item in found}


@pytest.fixture
def levels(tmp_path):
    made = Levels(tmp_path)
    yield made
    for store in made.stores.values():
        store.close()


def test_contents_are_the_same_in_any_order_and_whatever_the_uptime():
    later = device("b", sys_name="sw", uptime=9.0)
    assert contents([A, B]) == contents([later, A])
    assert contents([A, B]).devices == 2
    assert contents([A, B]) != contents([A, device("b", sys_name="other")])


def test_levels_that_hold_the_same_are_equal(levels):
    for where in levels.stores:
        levels.hold(where, A, B)
    assert levels.verdicts() == {"lc": "equal"}


@pytest.mark.parametrize("where", ["rc", "gc"])
@pytest.mark.parametrize("held", [(A,), (A, device("b", sys_name="other")), (A, B, device("c"))])
def test_a_level_that_holds_something_else_differs(levels, where, held):
    for name in levels.stores:
        levels.hold(name, *(held if name == where else (A, B)))
    assert levels.verdicts() == {"lc": "differs"}


@pytest.mark.parametrize(
    ("behind", "sender", "stream"),
    [("rc", "lc", "discovery/r/lc"), ("gc", "rc", "summary/r/rc")],
)
def test_what_still_waits_below_is_on_its_way(levels, behind, sender, stream):
    for name in levels.stores:
        levels.hold(name, *((A,) if name == behind else (A, B)))
    levels.wait(sender, stream)
    assert levels.verdicts() == {"lc": "on its way"}


def test_a_local_whose_store_is_elsewhere_is_compared_above(levels):
    for name in ("rc", "gc"):
        levels.hold(name, A, local_id="other")
    assert levels.verdicts() == {"lc": "equal", "other": "equal"}
    levels.hold("gc", B, local_id="other")
    assert levels.verdicts()["other"] == "differs"
