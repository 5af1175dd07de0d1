"""Whether all levels agree: on policies, on inventories, on the number of messages."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from pdsno_cli.client.audit import accounts, default_limit, oldest_wait
from pdsno_cli.client.checklist.plane import some
from pdsno_cli.client.doctor.finding import Finding
from pdsno_cli.client.inventories import inventories
from pdsno_cli.client.policy_status import policy_statuses
from pdsno_cli.model.durations import format_age

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pdsno_cli.client.checklist.plane import Plane
    from pdsno_cli.client.policy_status import PolicyStatus


def check_policy(plane: Plane) -> Iterator[Finding]:
    """Compare the policy versions that controllers have applied with those that are published."""
    found = plane.poll(
        lambda: policy_statuses(plane.topology, plane.state), lambda found: not _behind(found)
    )
    if plane.report is None:  # their stores may be on other machines
        absent = [item.controller_id for item in found if item.version is None]
        found = [item for item in found if item.version is not None]
        if absent:
            names = tuple(dict.fromkeys(absent))
            yield Finding(
                check="policy",
                verdict="skip",
                text=f"no policy of {some(names)} in a store on this machine",
                hint="pdsno policy status shows what is published",
                subjects=names,
            )
        if not found:
            return
    bad = _behind(found)
    scopes = len({item.scope for item in found})
    names = tuple(dict.fromkeys(item.controller_id for item in bad))
    total = len({item.controller_id for item in found})
    text = f"{total - len(names)} of {total} controllers follow the policies of {scopes} scopes"
    if not bad:
        yield Finding(check="policy", verdict="ok", text=text)
        return
    yield Finding(
        check="policy",
        verdict="fail",
        text=f"{text}; not {some([_why(item) for item in bad])}",
        hint=f"pdsno policy status {plane.name}; pdsno logs {plane.name} {names[0]}",
        subjects=names,
    )


def _behind(found: Sequence[PolicyStatus]) -> list[PolicyStatus]:
    return [item for item in found if item.version is None or item.version != item.wanted]


def _why(item: PolicyStatus) -> str:
    has = "none" if item.version is None else str(item.version)
    wanted = "one" if item.wanted is None else str(item.wanted)
    return f"{item.controller_id} ({item.scope}: {has}, not {wanted})"


def check_inventories(plane: Plane) -> Iterator[Finding]:
    """Compare the inventories of each local controller at all levels."""
    found = inventories(plane.topology, plane.state, timeout=plane.timeout)
    known = [item for item in found if item.local is not None or item.regional is not None]
    if not known:
        text = "no store of a local or regional controller is on this machine"
        yield Finding(check="inventories", verdict="skip", text=text)
        return
    bad = tuple(item.local_id for item in known if item.verdict == "differs")
    moving = sum(item.verdict == "on its way" for item in known)
    devices = sum(item.top.devices for item in known if item.top is not None)
    text = f"{len(known) - len(bad)} of {len(known)} locals agree at all levels"
    if bad:
        yield Finding(
            check="inventories",
            verdict="fail",
            text=f"{text}; not {some(bad)}",
            hint=f"pdsno audit {plane.name}; "
            f"pdsno restart {plane.name} {bad[0]} makes it send a snapshot",
            subjects=bad,
        )
        return
    way = f", {moving} on their way" if moving else ""
    text = f"{text}, {devices} devices{way}"
    yield Finding(check="inventories", verdict="ok", text=text)


def check_messages(plane: Plane) -> Iterator[Finding]:
    """Account for every message that was ever sent, as ``pdsno audit`` does."""
    limit = default_limit(plane.topology)
    found, absent = accounts(plane.topology, plane.state)
    now = time.time()
    sent = sum(item.sent for item in found)
    lost, twice = sum(item.lost for item in found), sum(item.twice for item in found)
    late = [item for item in found if oldest_wait(item, now) > limit]
    if absent:
        yield Finding(
            check="messages",
            verdict="skip",
            text=f"no store of {some(absent)} on this machine",
            hint="run pdsno audit where it is",
            subjects=tuple(absent),
        )
    if not found:
        return
    text = f"{sent} sent, {lost} lost, {twice} twice"
    senders = [item.sender for item in found if not item.accounted]
    if late:
        worst = max(late, key=lambda item: oldest_wait(item, now))
        text += (
            f"; {worst.waiting} of {worst.stream} wait for {format_age(oldest_wait(worst, now))}"
        )
        senders += [item.sender for item in late]
    if senders:
        yield Finding(
            check="messages",
            verdict="fail",
            text=text,
            hint=f"pdsno audit {plane.name}; pdsno quarantine list {plane.name}",
            subjects=tuple(dict.fromkeys(senders)),
        )
    else:
        waiting = sum(item.waiting for item in found)
        yield Finding(check="messages", verdict="ok", text=f"{text}; {waiting} on their way")
