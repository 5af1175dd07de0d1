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

    from pdsno_cli.spec.topology import Discovery, Policy, Topology


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
    """Whether two documents say the same, their versions aside."""
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


def next_document(stored: PolicyDocument | None, declared: PolicyDocument) -> PolicyDocument:
    """Return ``declared`` under the stored version, or under a higher one where it differs.

    A first version is the Unix time, as in a DNS zone's serial, so that it still rises when a
    store is lost.
    """
    if stored is not None and same_but_version(stored, declared):
        return stored
    version = int(time.time()) if stored is None else max(stored.version + 1, int(time.time()))
    return msgspec.structs.replace(declared, version=version)
