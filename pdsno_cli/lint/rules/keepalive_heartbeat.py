"""PDS302: a keepalive so long that controllers count as down before they notice a dead broker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.lint.rule import Rule
from pdsno_cli.model.diagnostics import Severity
from pdsno_cli.model.durations import format_about, format_duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pdsno_cli.model.diagnostics import Diagnostic
    from pdsno_cli.spec.document import Document
    from pdsno_cli.spec.topology import Topology

CODE = "PDS302"
MISSED = 3  # heartbeats after which parents count a controller as down (controllers/liveness.py)
NOTICED = 1.4  # keepalives after which a client leaves a silent broker (messaging/keepalive.py)
LATE = 10  # times as long, which fallbacks do not make up for
LEAST = 120.0  # seconds: what is noticed sooner is fine with any heartbeat


def check(topology: Topology, document: Document) -> Iterator[Diagnostic]:
    """Yield a warning if the keepalive does not fit the shortest heartbeat."""
    keepalive = topology.broker.keepalive
    noticed = NOTICED * keepalive
    if noticed <= LEAST:
        return
    heartbeat = min((item.heartbeat for item in topology.controllers.values()), default=noticed)
    down = MISSED * heartbeat
    if noticed > LATE * down:
        fitting = max(LATE * down, LEAST) / NOTICED
        yield document.finding(
            CODE,
            f"a broker that is silent is noticed after {format_about(noticed)}, and a "
            f"controller counts as down after {format_duration(down)} without heartbeats",
            ("broker", "keepalive"),
            severity=Severity.WARNING,
            hint=f"a keepalive of at most {format_duration(int(fitting))}, for example: keepalive: 30s",
        )


RULE = Rule(code=CODE, name="keepalive-heartbeat", check=check, advice=True)
