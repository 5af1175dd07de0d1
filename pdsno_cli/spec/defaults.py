"""Resolves a controller's settings: its own, its region's, its role's, then the defaults."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from pdsno_cli.model.durations import parse_duration
from pdsno_cli.spec.topology import (
    DEFAULT_HEARTBEAT,
    Credential,
    Details,
    Discovery,
    Snmp,
    SnmpKey,
    SweepTimeout,
    Traps,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pdsno_cli.spec.document import Where

Raw = dict[str, Any]

_BOUNDS = ("floor", "ceiling")


def setting_paths(key: str, role: str, region: str | None, where: Where) -> list[Where]:
    """Return the paths in the file that can set a value of a controller, highest precedence first."""
    found: list[Where] = [("controllers", key, *where)]
    if region is not None:
        found.append(("regions", region, *where))
    return [*found, ("defaults", "roles", role, *where), ("defaults", *where)]


class Inheritance:
    """The defaults of one file; caches its results, since most controllers are alike."""

    def __init__(self, defaults: Raw, regions: Mapping[str, Raw | None]) -> None:
        self._defaults = defaults
        self._regions = regions
        self._layers: dict[tuple[str, str | None], list[Raw]] = {}
        self._settings: dict[tuple[Any, ...], Callable[..., Discovery]] = {}
        self._seconds: dict[str, float] = {}

    def heartbeat(self, raw: Raw, role: str, region: str | None) -> float:
        """Return the seconds between two heartbeats of a controller."""
        found = self._first("heartbeat", raw, role, region)
        return DEFAULT_HEARTBEAT if found is None else self._duration(found)

    def nib(self, raw: Raw, role: str, region: str | None) -> str | None:
        """Return the URL of a controller's store as written, None without any."""
        return self._first("nib", raw, role, region)

    def discovery(
        self, own: Raw, role: str, region: str | None
    ) -> Callable[[tuple[str, ...]], Discovery]:
        """Return a function that builds a controller's discovery settings from its targets."""
        own_snmp = own.get("snmp", {})
        identity = (
            role,
            region,
            own.get("interval"),
            own.get("missed_cycles"),
            own.get("mass_loss"),
            *(_hashable(own.get(key)) for key in ("protocols", "exclude", "blackout", "timeout")),
            own.get("rate"),
            own.get("snmp_to"),
            own_snmp.get("version"),
            own_snmp.get("community"),
            own_snmp.get("port"),
            own_snmp.get("timeout"),
            own_snmp.get("retries"),
            repr(own_snmp.get("credentials")),
            repr(own_snmp.get("details")),
            repr(own_snmp.get("traps")),
        )
        found = self._settings.get(identity)
        if found is None:
            layers = [own, *(above.get("discovery", {}) for above in self._above(role, region))]
            found = self._settings[identity] = self._make(layers)
        return found

    def _first(self, name: str, raw: Raw, role: str, region: str | None) -> str | None:
        layers = (raw, *self._above(role, region))
        return next((layer[name] for layer in layers if name in layer), None)

    def _make(self, layers: list[Raw]) -> Callable[[tuple[str, ...]], Discovery]:
        merged: Raw = {}
        snmp: Raw = {}
        timeout: Raw = {}
        for layer in reversed(layers):
            merged |= layer
            snmp = _over(layer.get("snmp", {}), snmp)
            timeout |= layer.get("timeout", {})
        known: Raw = {key: merged[key] for key in ("rate", "snmp_to") if key in merged}
        known |= {key: tuple(merged[key]) for key in ("exclude", "blackout") if key in merged}
        bounds = {key: self._duration(text) for key, text in timeout.items() if key in _BOUNDS}
        if bounds:
            known["timeout"] = SweepTimeout(**bounds)
        if "interval" in merged:
            known["interval"] = self._duration(merged["interval"])
        if "protocols" in merged:
            known["protocols"] = tuple(merged["protocols"])
        known |= {key: merged[key] for key in ("missed_cycles", "mass_loss") if key in merged}
        known["snmp"] = self._snmp(snmp)
        make = partial(Discovery, **known)
        return lambda targets: make(targets=targets)

    def _snmp(self, raw: Raw) -> Snmp:
        known = _known(raw, "version", "community", "port", "retries")
        if "timeout" in raw:
            known["timeout"] = self._duration(raw["timeout"])
        if "credentials" in raw:
            found = [_credential(item) for item in raw["credentials"]]
            if "community" in raw:  # of the same layer: it is tried first
                found.insert(0, Credential(community=raw["community"]))
            known["credentials"] = tuple(found)
            communities = [item.community for item in found if item.community is not None]
            if communities:
                known["community"] = communities[0]
        if "details" in raw:
            known["details"] = self._details(raw["details"])
        if raw.get("traps", False) is not False:
            known["traps"] = (
                Traps() if raw["traps"] is True else Traps(**_known(raw["traps"], "port"))
            )
        return Snmp(**known)

    def _details(self, raw: Raw | bool) -> Details | None:
        if isinstance(raw, bool):
            return Details() if raw else None
        known = _known(raw, "interfaces", "neighbours", "forwarding")
        if "interval" in raw:
            known["interval"] = self._duration(raw["interval"])
        return Details(**known)

    def _above(self, role: str, region: str | None) -> list[Raw]:
        layers = self._layers.get((role, region))
        if layers is None:
            of_region = self._regions.get(region) if region is not None else None
            of_role = self._defaults.get("roles", {}).get(role, {})
            layers = self._layers[role, region] = [of_region or {}, of_role, self._defaults]
        return layers

    def _duration(self, text: str) -> float:
        seconds = self._seconds.get(text)
        if seconds is None:
            seconds = self._seconds[text] = parse_duration(text)
        return seconds


def _known(raw: Raw, *keys: str) -> Raw:
    return {key: raw[key] for key in keys if key in raw}


def _credential(raw: Raw) -> Credential:
    keys = {
        name: SnmpKey(protocol=raw[name]["protocol"], password=raw[name]["password"])
        for name in ("auth", "privacy")
        if name in raw
    }
    return Credential(
        name=raw.get("name"),
        community=raw.get("community"),
        user=raw.get("user"),
        auth=keys.get("auth"),
        privacy=keys.get("privacy"),
    )


def _over(near: Raw, far: Raw) -> Raw:
    """Return the SNMP settings of a layer over those of farther ones."""
    # A layer that has a community or credentials does without those of farther ones.
    own = "community" in near or "credentials" in near
    kept = {key: far[key] for key in far if not own or key not in {"community", "credentials"}}
    merged = kept | near
    details = (near.get("details"), far.get("details"))
    if all(isinstance(item, dict) for item in details):
        merged["details"] = far["details"] | near["details"]
    return merged


def _hashable(value: Any) -> Any:
    """Return a list or a mapping of scalars as a tuple, anything else as it is."""
    if isinstance(value, dict):
        return tuple(value.items())
    return tuple(value) if isinstance(value, list) else value
