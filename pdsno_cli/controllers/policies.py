"""The policies that one controller goes by: taken from whoever publishes them, or published."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Literal

from pdsno_cli.controllers import policy
from pdsno_cli.model.messages import Event, PolicyDocument
from pdsno_cli.model.policy_rules import problem, unknown_local, version_problem
from pdsno_cli.model.refusals import Reason, RefusedError
from pdsno_cli.model.roles import Role
from pdsno_cli.model.topics import GLOBAL, SYSTEM

if TYPE_CHECKING:
    from pdsno_cli.controllers.ports import Context
    from pdsno_cli.model.messages import Command, Envelope

log = logging.getLogger(__name__)

WHY_CHARACTERS = 300  # of a reason, which quotes what it is about
REFUSAL_PAUSE = 60.0  # seconds between two events about refused policies of one scope


class Policies:
    """The newest policy of each scope that concerns a controller. Owner's thread only.

    None is believed for its signature alone: ``model.policy_rules`` judges each that is received,
    ordered or remembered. Where one is refused, the one before stays in force.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._documents: dict[str, PolicyDocument] = {}
        self._refused: dict[str, float] = {}  # when each scope's last refusal was told, monotonic
        spec = context.spec
        self._concern = {GLOBAL} if spec.region is None else {GLOBAL, spec.region}
        self._targets = {
            item.controller_id: item.discovery.targets
            for item in context.topology.of_role(Role.LOCAL, spec.region)
        }
        self._only = spec.controller_id if spec.role is Role.LOCAL else None

    def recall(self, *scopes: str) -> None:
        """Go by what was in force at the last stop; of several scopes the widest comes first."""
        for scope in scopes:
            record = self._context.store.policy(scope)
            if record is None:
                continue
            found = self._problem(record.document)
            if found is None:
                self._documents[scope] = record.document
            else:
                self._drop(record.document, found)

    def of(self, *scopes: str) -> list[PolicyDocument]:
        """Return the policies of ``scopes`` that are known, in that order."""
        return [self._documents[scope] for scope in scopes if scope in self._documents]

    def take(self, envelope: Envelope, document: PolicyDocument) -> None:
        """Go by a policy, if it is newer.

        RefusedError when it is older than the one in force, or makes no sense for this controller;
        the latter is announced by an event, too.
        """
        topics = self._context.topology.topics
        if document.scope not in self._concern or envelope.stream != topics.stream(
            topics.policy(document.scope)
        ):
            raise RefusedError(
                Reason.WRONG_TOPIC, f"a policy of {document.scope!r} on {envelope.stream}"
            )
        known = self._documents.get(document.scope)
        if known is not None and document.version < known.version:
            raise RefusedError(
                Reason.REPLAYED,
                f"policy {document.scope} {document.version} is older than {known.version}",
            )
        if known is not None and document.version == known.version:
            return
        found = self._problem(document)
        if found is not None:
            self._tell_refusal(document, found)
            raise RefusedError(
                Reason.INVALID, f"policy {document.scope} {document.version}: {found}"
            )
        self._keep(document)

    def echo(self, envelope: Envelope, document: PolicyDocument) -> str | None:
        """Return what is wrong with a policy on the topic that this controller publishes on."""
        known = self._documents.get(document.scope)
        if envelope.sender_id != self._context.spec.controller_id:
            return f"a policy of {envelope.sender_id} is there"
        if known is not None and document.version < known.version:
            return f"the older version {document.version} is there"
        found = self._problem(document)
        if found is not None:
            return f"version {document.version} is there: {found}"
        if known is not None and document.version > known.version:
            log.warning("policy %s %d is of another run", document.scope, document.version)
        return None

    def publish(self, declared: PolicyDocument) -> None:
        """Publish the policy of a scope: the one that the file declares, or that was ordered."""
        record = self._context.store.policy(declared.scope)
        document = policy.next_document(record, declared)
        found = self._problem(document)
        if found is not None and record is not None:
            self._drop(document, found)
            # A version that no clock has reached is not one to go on from.
            plausible = None if version_problem(document.version, time.time()) else record
            document, record = policy.numbered(declared, after=plausible), None
        if record is None or document is not record.document:
            self._keep(document)
        self._send(document)

    def order(self, envelope: Envelope, command: Command, declared: PolicyDocument) -> None:
        """Put what a person orders in the place of ``declared``, or that one back in its own.

        RefusedError when it cannot be.
        """
        if command.order == "policy_reset":
            self._reset(envelope, declared)
            return
        ordered = command.policy
        if ordered is None or ordered.scope != declared.scope:
            raise RefusedError(
                Reason.WRONG_TOPIC,
                f"{self._context.spec.controller_id} publishes the policy of {declared.scope} "
                "and carries out no other order",
            )
        found = self._problem(ordered) or unknown_local(ordered, self._targets)
        if found is not None:
            raise RefusedError(Reason.INVALID, found)
        record = self._context.store.policy(declared.scope)
        document = policy.numbered(ordered, after=record)
        replaced = policy.replaced_by(document, declared)
        self._keep(document, instead_of=replaced, answers=envelope.message_id)
        self._send(document, answers=envelope.message_id)

    def _reset(self, envelope: Envelope, declared: PolicyDocument) -> None:
        """Publish the file's policy under a new version, whatever is in force."""
        record = self._context.store.policy(declared.scope)
        document = policy.numbered(declared, after=record)
        self._keep(document, answers=envelope.message_id)
        self._send(document, answers=envelope.message_id)

    def _problem(self, document: PolicyDocument) -> str | None:
        found = problem(document, self._targets, time.time(), self._only)
        return None if found is None else found[:WHY_CHARACTERS]

    def _send(self, document: PolicyDocument, *, answers: str | None = None) -> None:
        topic = self._context.topology.topics.policy(document.scope)
        self._context.publisher.publish(topic, document, answers=answers)

    def _keep(
        self,
        document: PolicyDocument,
        *,
        instead_of: PolicyDocument | None = None,
        answers: str | None = None,
    ) -> None:
        """Keep a new version, and tell that this controller goes by it."""
        event = self._event("policy_applied", "info", document)
        with self._context.publisher.unit() as unit:
            unit.tx.put_policy(document, at=time.time(), instead_of=instead_of)
            unit.stage(self._events_topic, event, answers=answers)
        self._documents[document.scope] = document
        log.info("policy %s %d is in force", document.scope, document.version)

    def _drop(self, document: PolicyDocument, why: str) -> None:
        """Forget a policy that the store has kept and that makes no sense, or no longer does."""
        with self._context.publisher.unit() as unit:
            unit.tx.drop_policy(document.scope)
            self._tell_refusal(document, f"{why} (it was kept from an earlier start)")

    def _tell_refusal(self, document: PolicyDocument, why: str) -> None:
        """Announce a refused policy, of each scope no more often than people can read."""
        now = time.monotonic()
        last = self._refused.get(document.scope)
        if last is not None and now < last + REFUSAL_PAUSE:
            return
        self._refused[document.scope] = now
        log.warning("policy %s %d is refused: %s", document.scope, document.version, why)
        with self._context.publisher.unit() as unit:
            event = self._event("policy_refused", "warning", document, why=why)
            unit.stage(self._events_topic, event)

    @property
    def _events_topic(self) -> str:
        return self._context.topology.topics.events(self._context.spec.region or SYSTEM)

    def _event(
        self,
        name: str,
        severity: Literal["info", "warning"],
        document: PolicyDocument,
        **detail: str,
    ) -> Event:
        spec = self._context.spec
        return Event(
            event=name,
            severity=severity,
            subject=spec.controller_id,
            region=spec.region,
            detail={"scope": document.scope, "version": document.version, **detail},
        )
