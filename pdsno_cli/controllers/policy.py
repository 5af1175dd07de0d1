"""What policy is in force at a local controller, and what a parent publishes; pure."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from pdsno_cli.model.messages import PolicyDocument
from pdsno_cli.model.roles import Role
from pdsno_cli.model.topics import GLOBAL

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pdsno_cli.nib.rows import PolicyRecord
    from pdsno_cli.spec.topology import Controller, Discovery, Policy, Topology


def effective(declared: Discovery, documents: Iterable[PolicyDocument], local_id: str) -> Discovery:
    """Return ``declared`` overlaid with ``documents``, the wider scope first.

    What the policies leave open stays as the topology file declares it for this controller.
    """
    result = declared
    for document in documents:
        if document.scan_interval is not None:
            result = replace(result, interval=document.scan_interval)
        if document.protocols is not None:
            result = replace(result, protocols=document.protocols)
        if document.missed_cycles is not None:
            result = replace(result, missed_cycles=document.missed_cycles)
        if document.targets is not None and local_id in document.targets:
            result = replace(result, targets=document.targets[local_id])
    return result


def scopes(topology: Topology) -> tuple[str, ...]:
    """Return the scopes that have a publisher, the widest first."""
    served = {item.region for item in topology.of_role(Role.REGIONAL)}
    return (GLOBAL, *(region for region in topology.regions if region in served))


def concerned(topology: Topology, scope: str) -> tuple[Controller, ...]:
    """Return the controllers that the policy of a scope is in force at, its publisher first."""
    if scope == GLOBAL:
        return tuple(item for role in Role for item in topology.of_role(role))
    return (*topology.of_role(Role.REGIONAL, scope)[:1], *topology.of_role(Role.LOCAL, scope))


def global_document(topology: Topology, version: int) -> PolicyDocument:
    """Return the global policy that a topology declares."""
    return _document(GLOBAL, topology.policy, version)


def regional_document(topology: Topology, region: str, version: int) -> PolicyDocument:
    """Return the policy of a region, with the targets of its local controllers."""
    targets = {
        local.controller_id: local.discovery.targets
        for local in topology.of_role(Role.LOCAL, region)
        if local.discovery.targets
    }
    document = _document(region, topology.regions[region].policy, version)
    return PolicyDocument(
        scope=region,
        version=version,
        scan_interval=document.scan_interval,
        protocols=document.protocols,
        missed_cycles=document.missed_cycles,
        targets=targets or None,
    )


def same_but_version(one: PolicyDocument, other: PolicyDocument) -> bool:
    """Return True if two documents are equal, their versions aside."""
    return _content(one) == _content(other)


def _content(document: PolicyDocument) -> tuple[object, ...]:
    return (
        document.scope,
        document.scan_interval,
        document.protocols,
        document.missed_cycles,
        document.targets,
    )


def _document(scope: str, policy: Policy, version: int) -> PolicyDocument:
    return PolicyDocument(
        scope=scope,
        version=version,
        scan_interval=policy.scan_interval,
        protocols=policy.protocols,
        missed_cycles=policy.missed_cycles,
    )


def next_document(record: PolicyRecord | None, declared: PolicyDocument) -> PolicyDocument:
    """Return the policy to publish: the one in force, or ``declared`` as a newer version.

    A policy that an operator ordered stays in force until the file's policy changes.
    """
    if record is not None:
        stored = record.document
        same = (
            same_but_version(stored, declared)
            if record.instead_of is None
            else same_but_version(record.instead_of, replaced_by(stored, declared))
        )
        if same:
            return stored
    return numbered(declared, after=record)


def numbered(document: PolicyDocument, *, after: PolicyRecord | None) -> PolicyDocument:
    """Return ``document`` under a version above the one in force.

    A version is the Unix time at least, as in a DNS zone's serial, so that it still rises when a
    store is lost.
    """
    now = int(time.time())
    version = now if after is None else max(after.document.version + 1, now)
    return msgspec.structs.replace(document, version=version)


def replaced_by(ordered: PolicyDocument, declared: PolicyDocument) -> PolicyDocument:
    """Return the part of a declared policy that an ordered one replaces.

    Of the targets, only those of the controllers that the order names: others may change in the
    file without ending the ordered policy.
    """
    named = (ordered.targets or {}).keys()
    targets = {name: own for name, own in (declared.targets or {}).items() if name in named}
    return msgspec.structs.replace(declared, version=0, targets=targets or None)
