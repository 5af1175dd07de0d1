"""Decides what one discovery cycle changes: known devices + observations → changes; pure.

``docs/discovery.md`` has the rules. Two ideas are behind them: silence counts only when the
protocol could be used, and only after several cycles in a row is anything removed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from msgspec.structs import replace

from pdsno_cli.discovery.fields import fields_of, lasting, members
from pdsno_cli.discovery.identity import Match, match, new_id
from pdsno_cli.discovery.merge import sort_addresses
from pdsno_cli.model.address_numbers import address_number
from pdsno_cli.model.devices import Device, Known, Observation, ProbeResult
from pdsno_cli.model.history import DeviceChange, Kind, differences
from pdsno_cli.model.probes import rank, sort_protocols

Outcome = Literal["complete", "partial", "failed"]

MOST_ALIASES = 64  # further MACs of a device that are remembered
FLAPS = 2  # returns after which a device counts as flapping
MOST_DOUBLINGS = 3  # of the cycles that a flapping device may miss
CALM = 20  # times ``missed_cycles``: the cycles with an answer that undo one return
FEW = 5  # devices that may become inactive at once, whatever their share
_WRAP = 2**32 / 100  # seconds at which sysUpTime begins again
_NEAR_WRAP = 86_400.0  # seconds before and after it in which that is taken for the reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What a cycle changes, ready to be stored and reported.

    ``new`` holds devices seen for the first time or back after they were inactive; ``updated``
    those that differ in more than an ``uptime`` that runs on; ``inactive`` the ids that are gone.
    ``seen`` are the ids that answered in this cycle. ``known`` is everything to remember for the
    next cycle, inactive devices too; ``forgotten`` are ids that turned out to be another device.
    ``history`` says what changed of known devices. ``held`` are the ids that would be gone, too, if
    they were not so many at once: see ``decide``. ``flapping`` are the ids of ``new`` that have come
    back ``FLAPS`` times of late: from now on they stay longer.
    """

    outcome: Outcome
    new: tuple[Device, ...]
    updated: tuple[Device, ...]
    inactive: tuple[str, ...]
    seen: tuple[str, ...]
    forgotten: tuple[str, ...]
    known: Mapping[str, Known]
    history: tuple[DeviceChange, ...] = ()
    held: tuple[str, ...] = ()
    flapping: tuple[str, ...] = ()

    @property
    def active(self) -> tuple[Device, ...]:
        """The devices that are present after this cycle, in the order of address."""
        present = (item.device for item in self.known.values() if item.active)
        return tuple(sorted(present, key=_order))


def outcome_of(probes: Iterable[ProbeResult]) -> Outcome:
    """Return the outcome of a cycle; a probe with neither targets nor an error does not count."""
    applicable = [probe for probe in probes if probe.error is not None or probe.targets]
    failed = sum(probe.error is not None for probe in applicable)
    if failed == len(applicable):
        return "failed"
    return "partial" if failed else "complete"


def decide(
    known: Mapping[str, Known],
    observations: Sequence[Observation],
    *,
    probes: Sequence[ProbeResult],
    missed_cycles: int,
    mass_loss: float = 1.0,
    held: bool = False,
) -> Changes:
    """Return what a cycle with these observations changes; ``known`` is by device id.

    If more than the share ``mass_loss`` of the present devices, and more than ``FEW``, would become
    inactive, they are ``held`` for one cycle more: rather the network failed than all of them.
    ``held`` as an argument says that the cycle before did so.
    """
    outcome = outcome_of(probes)
    if outcome == "failed":
        return Changes(
            outcome=outcome, new=(), updated=(), inactive=(), seen=(), forgotten=(), known=known
        )
    failed = frozenset(probe.protocol for probe in probes if probe.error is not None)
    matches, forgotten = match(known, observations, missed_cycles)
    after = {key: item for key, item in known.items() if key not in forgotten}
    new, updated, seen, history = [], [], [], []
    for found in matches:
        before = known.get(found.device_id) if found.device_id else None
        if before is not None and before.active:
            item = _refresh(before, found, failed, missed_cycles)
            if not item.device.same(before.device) or _restarted(before.device, item.device):
                updated.append(item.device)
                history.append(_change(before.device, item.device))
        else:
            item = _admit(found, before, after)
            new.append(item.device)
            if before is not None:
                history.append(_change(before.device, item.device, back=True))
        after[item.device.device_id] = item
        seen.append(item.device.device_id)
    missing = {key: after[key] for key in sorted(after.keys() - seen)}
    missed = {key: _miss(item, failed, missed_cycles) for key, item in missing.items()}
    gone = [key for key in missing if missing[key].active and not missed[key].active]
    present = sum(item.active for item in known.values())
    held_back: list[str] = []
    if not held and len(gone) > max(FEW, mass_loss * present):
        gone, held_back = [], gone
        missed |= {key: missing[key] for key in held_back}
    after |= missed
    inactive = sorted([*gone, *(key for key in forgotten if known[key].active)])
    history += [DeviceChange(device_id=key, kind="inactive") for key in inactive]
    return Changes(
        outcome=outcome,
        new=tuple(sorted(new, key=_order)),
        updated=tuple(sorted(updated, key=_order)),
        inactive=tuple(inactive),
        seen=tuple(sorted(seen)),
        forgotten=tuple(sorted(forgotten)),
        known=after,
        history=tuple(history),
        held=tuple(held_back),
        flapping=tuple(
            sorted(key for key in seen if after[key].flaps >= FLAPS and not after[key].calm)
        ),
    )


def _change(before: Device, after: Device, *, back: bool = False) -> DeviceChange:
    """Return what changed of a device that is present."""
    kind: Kind = "back" if back else "updated"
    if not back and not set(before.addresses) & set(after.addresses):
        kind = "moved"
    elif not back and _restarted(before, after):
        kind = "rebooted"
    return DeviceChange(device_id=after.device_id, kind=kind, fields=differences(before, after))


def _restarted(before: Device, after: Device) -> bool:
    """Return True if the uptime started again; while it runs on, a receiver can compute it.

    It wraps after 497 days (32 bits of hundredths of a second, RFC 3418), which is no reboot.
    """
    if before.uptime is None or after.uptime is None or after.uptime >= before.uptime:
        return False
    return before.uptime < _WRAP - _NEAR_WRAP or after.uptime > _NEAR_WRAP


def _order(device: Device) -> tuple[int, str]:
    return address_number(device.addresses[0]), device.device_id


def _admit(found: Match, before: Known | None, taken: Mapping[str, Known]) -> Known:
    """Return a device that is new, or back under its old id and with its old MAC."""
    seen = found.observation
    mac, source = seen.mac, seen.mac_source
    if before is not None and mac is None:
        mac, source = before.device.mac, before.mac_source
    device = Device(
        device_id=before.device.device_id if before is not None else new_id(seen, taken),
        addresses=seen.addresses,
        protocols=seen.protocols,
        mac=mac,
        **members(fields_of(seen, seen.protocols)),
    )
    flaps = before.flaps + 1 if before is not None else 0
    return Known(device=device, mac_source=source, aliases=seen.aliases, flaps=flaps)


def _refresh(before: Known, found: Match, failed: frozenset[str], missed_cycles: int) -> Known:
    """Return a present device after it answered; silent parts are kept for ``missed_cycles``."""
    seen, device = found.observation, before.device
    silent = {
        key: before.silent.get(key, 0) + (key not in failed)
        for key in (*device.protocols, *device.addresses)
        if key not in seen.protocols and key not in found.confirmed
    }
    kept = {key: count for key, count in silent.items() if count < missed_cycles}
    protocols = sort_protocols([*seen.protocols, *(p for p in device.protocols if p in kept)])
    addresses = sort_addresses(
        [
            *found.confirmed,
            *(a for a in device.addresses if a in kept and a not in found.lost),
        ]
    )
    silent_protocols = [name for name in protocols if name not in seen.protocols]
    fields = (
        fields_of(device, silent_protocols)
        | lasting(device, seen)
        | fields_of(seen, seen.protocols)
    )
    mac, source = device.mac, before.mac_source
    # An alias may answer alone for a cycle, which does not make it the device's first MAC.
    better = mac is None or rank(seen.mac_source) <= rank(source)
    if seen.mac is not None and better and not (seen.mac in before.aliases or mac in seen.aliases):
        mac, source = seen.mac, seen.mac_source
    flaps, calm = _calm_down(before, missed_cycles)
    return Known(
        device=Device(
            device_id=device.device_id,
            addresses=addresses,
            protocols=protocols,
            mac=mac,
            **members(fields),
        ),
        silent={key: n for key, n in kept.items() if n and (key in protocols or key in addresses)},
        mac_source=source,
        aliases=_aliases(before, found, mac),
        flaps=flaps,
        calm=calm,
    )


def _aliases(before: Known, found: Match, mac: str | None) -> tuple[str, ...]:
    """Return the further MACs of a device: those seen now, and earlier ones that are not another's."""
    kept = {*before.aliases, *found.observation.aliases} - {mac} - found.taken
    return tuple(sorted(kept))[:MOST_ALIASES]


def _calm_down(before: Known, missed_cycles: int) -> tuple[int, int]:
    """Return ``flaps`` and ``calm`` after one cycle more with an answer."""
    if not before.flaps:
        return 0, 0
    if before.calm + 1 < CALM * missed_cycles:
        return before.flaps, before.calm + 1
    return before.flaps - 1, 0


def _miss(before: Known, failed: frozenset[str], missed_cycles: int) -> Known:
    """Return a device after a cycle without its answer; no miss if all its protocols failed."""
    if not before.active or failed.issuperset(before.device.protocols):
        return before
    missed = before.missed + 1
    # One that comes and goes is given twice the time for each return, so that it is reported less.
    tolerated = missed_cycles * 2 ** min(max(before.flaps - FLAPS + 1, 0), MOST_DOUBLINGS)
    return replace(before, missed=missed, active=missed < tolerated)
