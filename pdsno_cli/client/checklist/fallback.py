"""Whether the fallback carries while the broker is away: a drill, on request alone."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pdsno_cli.client.doctor.finding import Finding
from pdsno_cli.client.drill import Drill

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pdsno_cli.client.checklist.plane import Plane
    from pdsno_cli.client.drill import DrillResult

_OUTAGE = 10.0  # seconds without a broker
_RECOVERY = 120.0  # seconds within which all are back on the broker


def check_fallback(plane: Plane) -> Iterator[Finding]:
    """Kill the embedded broker for a while, and measure."""
    reason = _why_not(plane)
    if reason is not None:
        yield Finding(check="fallback", verdict="skip", text=reason)
        return
    drill = Drill(
        topology=plane.topology,
        state=plane.state,
        victim=None,
        action="kill",
        seconds=_OUTAGE,
        on_progress=plane.on_progress,
    )
    yield judge(drill.run(_RECOVERY), outage=_OUTAGE)


def _why_not(plane: Plane) -> str | None:
    chain = plane.topology.fallbacks
    if plane.access is None:
        return plane.no_broker
    if not plane.topology.broker.embedded:
        return "the broker is declared, and not ours to stop: stop it, and see pdsno status"
    if chain == ("mqtt",):
        return "the file has none (fallbacks: [mqtt]): messages wait for the broker"
    if not plane.drill:
        return f"--drill stops the broker for {_OUTAGE:g} s and measures it"
    return None


def judge(result: DrillResult, *, outage: float) -> Finding:
    """Return the verdict on a drill: the fallback has to carry before the outage is over."""
    measured = result.measured
    fallback = math.inf if measured.fallback is None else measured.fallback
    late = tuple(
        name
        for name, item in measured.outages.items()
        if item.again is None or item.again >= outage or item.transport == "mqtt"
    )
    ways = ", ".join(sorted({str(item.transport) for item in measured.outages.values()}))
    text = f"{result.lost} lost, {result.twice} twice"
    if result.missing is not None:
        text += f"; not recovered {_RECOVERY:g} s after the broker was back: {result.missing}"
    else:
        text += f"; back on the broker in {result.recovery:.1f} s"
    if late or fallback >= outage or result.missing is not None or result.lost or result.twice:
        carried = len(measured.outages) - len(late)
        return Finding(
            check="fallback",
            verdict="fail",
            text=f"carried for {carried} of {len(measured.outages)} controllers; {text}",
            hint="pdsno logs; pdsno fault broker kill --for 10s shows the measures",
            subjects=late,
        )
    text = f"all ready over {ways} after {fallback:.1f} s without the broker; {text}"
    return Finding(check="fallback", verdict="ok", text=text)
