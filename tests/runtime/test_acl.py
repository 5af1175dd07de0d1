from __future__ import annotations

import pytest

from pdsno_cli.model.roles import Role
from pdsno_cli.runtime.acl import publish_acl
from pdsno_cli.spec.topology import Controller, Region, Topology

CONTROLLERS = {
    key: Controller(controller_id=key, key=key, role=role, region=region)
    for key, role, region in (
        ("g1", Role.GLOBAL, None),
        ("rc1", Role.REGIONAL, "r1"),
        ("rc2", Role.REGIONAL, "r2"),
        ("lc1", Role.LOCAL, "r1"),
    )
}
TOPOLOGY = Topology(
    path="t.yaml",
    name="t",
    regions={name: Region(name=name) for name in ("r1", "r2")},
    controllers=CONTROLLERS,
)


@pytest.mark.parametrize(
    ("sender", "topic", "allowed"),
    [
        ("g1", "pdsno/policy/global", True),
        ("rc1", "pdsno/policy/global", False),
        ("rc1", "pdsno/policy/r1", True),
        ("rc2", "pdsno/policy/r1", False),
        ("lc1", "pdsno/policy/r1", False),
        ("stranger", "pdsno/policy/r1", False),
        ("rc1", "pdsno/summary/r1/rc1", True),
        ("rc1", "pdsno/summary/r2/rc1", False),
        ("lc1", "pdsno/discovery/r1/lc1", True),
        ("lc1", "pdsno/discovery/r2/lc1", False),
        ("a-new-local", "pdsno/discovery/r1/a-new-local", True),
        ("rc1", "pdsno/discovery/r1/rc1", False),
        ("lc1", "pdsno/events/system", True),
        ("lc1", "pdsno/events/r2", True),
        ("stranger", "pdsno/events/r1", True),
        ("stranger", "pdsno/status/stranger", True),
        ("stranger", "pdsno/command/lc1", True),
        ("stranger", "pdsno/summary/r1/stranger", False),
        ("stranger", "pdsno/ack/lc1", False),
        ("lc1", "pdsno/ack/lc1", False),
        ("rc2", "pdsno/ack/lc1", True),
        ("g1", "pdsno/policy/r1", False),
        ("g1", "pdsno/summary/r1/g1", False),
        ("lc1", "elsewhere/policy/r1", False),
        ("operator", "pdsno/command/lc1", True),
        ("operator", "pdsno/command/g1", True),
        ("operator", "pdsno/policy/global", False),
        ("operator", "pdsno/discovery/r1/operator", False),
        ("operator", "pdsno/events/system", False),
        ("operator", "pdsno/status/operator", False),
        ("operator", "pdsno/ack/lc1", False),
    ],
)
def test_may_publish_by_role_and_region(sender, topic, allowed):
    assert publish_acl(TOPOLOGY)(sender, topic) is allowed
