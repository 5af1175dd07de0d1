from __future__ import annotations

from pdsno_cli.lab.mib import SYS_UP_TIME, Mib
from pdsno_cli.lab.plan import make_device

DEVICE = make_device(0, "127.102.2.1", port=161, community="lab")
SYS_NAME = (1, 3, 6, 1, 2, 1, 1, 5, 0)
IF_PHYS_ADDRESS = (1, 3, 6, 1, 2, 1, 2, 2, 1, 6)


def test_get_returns_the_object_and_none_beside_it():
    mib = Mib(DEVICE)
    assert mib.get(SYS_NAME).value == b"sw-access-01"
    assert mib.get(SYS_UP_TIME).syntax == "ticks"
    assert mib.get((*SYS_NAME, 1)) is None


def test_after_walks_all_objects_in_lexicographic_order():
    mib = Mib(DEVICE)
    walked, oid = [], mib.after(())
    while oid is not None:
        walked.append(oid)
        oid = mib.after(oid)
    assert walked == sorted(walked)
    assert len(walked) == 7 + 1 + 3 * 10
    assert mib.after((1, 3, 6, 1, 2, 1, 1, 5)) == SYS_NAME


def test_interfaces_have_physical_addresses_of_their_own():
    mib = Mib(DEVICE)
    lo, eth0, eth1 = (mib.get((*IF_PHYS_ADDRESS, index)).value for index in (1, 2, 3))
    assert (lo, eth0.hex(":")) == (b"", DEVICE.mac)
    assert eth1[1:] == eth0[1:]
    assert eth1[0] != eth0[0]
