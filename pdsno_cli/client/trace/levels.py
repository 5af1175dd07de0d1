"""What the store of each level holds of an address, and the reports in between."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pdsno_cli.client.doctor.finding import Finding
from pdsno_cli.model.ids import timestamp
from pdsno_cli.model.roles import Role
from pdsno_cli.nib.database import MissingStoreError
from pdsno_cli.nib.offsets import START, Offset
from pdsno_cli.nib.reader import open_reader
from pdsno_cli.runtime.stores import database_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pdsno_cli.model.devices import Known
    from pdsno_cli.nib.queries import Queries
    from pdsno_cli.nib.rows import DeviceRecord
    from pdsno_cli.runtime.state_dir import StateDir
    from pdsno_cli.spec.topology import Topology


@dataclass(frozen=True, slots=True)
class _Level:
    """What one store holds: the device, and how far the stream from below is committed."""

    controller_id: str
    role: str
    record: DeviceRecord | None
    committed: Offset | None


def trace_levels(
    topology: Topology, state: StateDir, address: str, local_id: str
) -> Iterator[Finding]:
    """Yield what the local controller knows, which report carried it, and what is held above."""
    region = topology.controllers[local_id].region or ""
    stream = topology.topics.stream(topology.topics.discovery(region, local_id))
    own: DeviceRecord | None = None
    with (
        suppress(MissingStoreError),
        open_reader(database_of(topology, state, local_id)) as store,
    ):
        own = _record(store, local_id, address)
        yield _local(local_id, address, own, store.known())
        yield from _reports(store, own, stream)
    above = [
        *topology.of_role(Role.REGIONAL, region)[:1],
        *topology.of_role(Role.GLOBAL)[:1],
    ]
    for spec in above:
        try:
            with open_reader(database_of(topology, state, spec.controller_id)) as store:
                level = _Level(
                    spec.controller_id,
                    spec.role.value,
                    _record(store, local_id, address),
                    store.committed(local_id, stream) if spec.role == Role.REGIONAL else None,
                )
        except MissingStoreError:
            yield Finding(
                check=spec.role.value,
                verdict="skip",
                text=f"the store of {spec.controller_id} is not on this machine",
            )
            continue
        yield _above(level, own, address)


def _record(store: Queries, local_id: str, address: str) -> DeviceRecord | None:
    """Return the device of a local controller at an address, one that is present first."""
    found = [
        item
        for item in store.device_records()
        if item.local_id == local_id and address in item.device.addresses
    ]
    return max(found, key=lambda item: (item.active, item.last_seen), default=None)


def _local(
    local_id: str, address: str, own: DeviceRecord | None, known: dict[str, Known]
) -> Finding:
    if own is None:
        return Finding(
            check="local",
            verdict="fail",
            text=f"{local_id} has never found a device at {address}",
            hint=f"pdsno logs {local_id} shows what each cycle found; pdsno discover runs one now",
        )
    device, memory = own.device, known.get(own.device.device_id)
    by = f"its MAC {device.mac}" if device.device_id.startswith("mac:") else "its address"
    text = (
        f"{local_id}: {device.device_id} (known by {by}), version {own.version}, last seen "
        f"{timestamp(own.last_seen)} by {', '.join(device.protocols)}"
    )
    if not own.active:
        return Finding(check="local", verdict="fail", text=f"inactive: {text}")
    if memory is not None and memory.missed:
        return Finding(
            check="local", verdict="warn", text=f"silent for {memory.missed} cycles: {text}"
        )
    silent = (
        ", ".join(f"{what} for {n} cycles" for what, n in memory.silent.items()) if memory else ""
    )
    if silent:
        return Finding(check="local", verdict="warn", text=f"{text}; silent: {silent}")
    return Finding(check="local", verdict="ok", text=text)


def _reports(store: Queries, own: DeviceRecord | None, stream: str) -> Iterator[Finding]:
    if own is not None:
        history = store.history(own.local_id, own.device.device_id)
        if history:
            last = history[-1]
            fields = ", ".join(last.change.fields) or "nothing else"
            yield Finding(
                check="history",
                verdict="ok",
                text=f"{last.change.kind} at {timestamp(last.at)}: {fields}"
                + (f"; earlier changes: {len(history) - 1}" if len(history) > 1 else ""),
            )
    settled, backlog = store.acknowledged(stream), store.backlog(stream)
    if backlog.messages:
        yield Finding(
            check="report",
            verdict="warn",
            text=f"in the outbox, not yet acknowledged: {backlog.messages}",
            hint="if they stay, pdsno status shows the transport and its error",
        )
    elif settled != START:
        yield Finding(
            check="report",
            verdict="ok",
            text=f"every report is committed, the last is number {settled.seq} of epoch {settled.epoch}",
        )


def _above(level: _Level, own: DeviceRecord | None, address: str) -> Finding:
    held, well = level.record, False
    if held is None:
        text = f"has no device at {address}"
    elif own is None:
        text, well = f"has {held.device.device_id}, last seen {timestamp(held.last_seen)}", True
    elif held.active != own.active:
        text = "has it as active" if held.active else "has it as inactive"
    elif held.device.same(own.device):
        text, well = f"has the same, version {held.version}", True
    else:
        text = "has something else of it"
    if level.committed is not None:
        text += f"; report {level.committed.seq} is committed"
    return Finding(
        check=level.role,
        verdict="ok" if well else "fail",
        text=f"{level.controller_id} {text}",
        hint=None if well else "pdsno audit compares the levels",
    )
