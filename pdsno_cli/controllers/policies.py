"""The policies in force at one controller: those that it received, and those that it publishes."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Literal

from pdsno_cli.controllers import policy
from pdsno_cli.delivery.endpoint import events_topic, own_event
from pdsno_cli.model.messages import PolicyDocument
from pdsno_cli.model.policy_rules import problem, unknown_local, version_problem
from pdsno_cli.model.refusals import Reason, RefusedError
from pdsno_cli.model.roles import Role
from pdsno_cli.model.topics import GLOBAL

if TYPE_CHECKING:
    from pdsno_cli.controllers.ports import Context
    from pdsno_cli.delivery.endpoint import Detail
    from pdsno_cli.model.messages import Command, Envelope, Event

log = logging.getLogger(__name__)

WHY_CHARACTERS = 300  # of a reason, which quotes what it is about
REFUSAL_PAUSE = 60.0  # seconds between two events about refused policies of one scope


class Policies:
    """The newest policy of each scope that concerns a controller. Owner's thread only.

    A signature alone does not make a policy valid: ``model.policy_rules`` judges each one that is
    received, ordered or stored. Where one is refused, the one before stays in force.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._documents: dict[str, PolicyDocument] = {}
        self._refused: dict[str, float] = {}  # when each scope's last event was, monotonic
        spec = context.spec
        self._concern = {GLOBAL} if spec.region is None else {GLOBAL, spec.region}
        self.reconfigured()
        self._only = spec.controller_id if spec.role is Role.LOCAL else None

    def reconfigured(self) -> None:
        """Judge policies by the topology in force."""
        topology, region = self._context.topology, self._context.spec.region
        self._targets = {
            item.controller_id: item.discovery.targets
            for item in topology.of_role(Role.LOCAL, region)
        }

    def recall(self, *scopes: str) -> None:
        """Put in force what was so at the last stop; of several scopes the widest comes first."""
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

    def accept(self, message: Envelope, document: PolicyDocument) -> None:
        """Put a received policy in force, if it is newer.

        RefusedError when it is older than the one in force, or invalid for this controller; the
        latter is announced by an event, too.
        """
        topics = self._context.topology.topics
        if document.scope not in self._concern or message.stream != topics.stream(
            topics.policy(document.scope)
        ):
            raise RefusedError(
                Reason.WRONG_TOPIC, f"a policy of {document.scope!r} on {message.stream}"
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
            self._announce_refusal(document, found)
            raise RefusedError(
                Reason.INVALID, f"policy {document.scope} {document.version}: {found}"
            )
        self._keep(document)

    def problem_of_retained(self, message: Envelope, document: PolicyDocument) -> str | None:
        """Return what is wrong with a policy on the topic that this controller publishes on."""
        known = self._documents.get(document.scope)
        if message.sender_id != self._context.spec.controller_id:
            return f"a policy of {message.sender_id} is there"
        if known is not None and document.version < known.version:
            return f"the older version {document.version} is there"
        found = self._problem(document)
        if found is not None:
            return f"version {document.version} is there: {found}"
        if known is not None and document.version > known.version:
            log.warning("policy %s %d is of another run", document.scope, document.version)
        return None

    def publish(self, declared: PolicyDocument) -> None:
        """Publish the policy of a scope: the ``declared`` one, or the one that was ordered."""
        record = self._context.store.policy(declared.scope)
        document = policy.next_document(record, declared)
        found = self._problem(document)
        if found is not None and record is not None:
            self._drop(document, found)
            # A version from the future is no basis for the next one.
            plausible = None if version_problem(document.version, time.time()) else record
            document, record = policy.numbered(declared, after=plausible), None
        if record is None or document is not record.document:
            self._keep(document)
        self._send(document)

    def execute(self, order: Envelope, command: Command, declared: PolicyDocument) -> None:
        """Put the policy of ``command`` in force, or ``declared`` again.

        RefusedError when it is invalid, or of another scope.
        """
        record = self._context.store.policy(declared.scope)
        if command.order == "policy_reset":
            document = policy.numbered(declared, after=record)
            self._keep(document, answers=order.message_id)
            self._send(document, answers=order.message_id)
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
        document = policy.numbered(ordered, after=record)
        replaced = policy.replaced_by(document, declared)
        self._keep(document, instead_of=replaced, answers=order.message_id)
        self._send(document, answers=order.message_id)

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
        """Store a new version and put it in force, and announce that."""
        event = self._event("policy_applied", "info", document)
        with self._context.publisher.unit() as unit:
            unit.tx.put_policy(document, at=time.time(), instead_of=instead_of)
            unit.stage(events_topic(self._context), event, answers=answers)
        self._documents[document.scope] = document
        log.info("policy %s %d is in force", document.scope, document.version)

    def _drop(self, document: PolicyDocument, why: str) -> None:
        """Delete a stored policy that is invalid, or no longer valid."""
        with self._context.publisher.unit() as unit:
            unit.tx.drop_policy(document.scope)
            self._announce_refusal(document, f"{why} (it was kept from an earlier start)")

    def _announce_refusal(self, document: PolicyDocument, why: str) -> None:
        """Announce a refused policy, once in ``REFUSAL_PAUSE`` for each scope."""
        now = time.monotonic()
        last = self._refused.get(document.scope)
        if last is not None and now < last + REFUSAL_PAUSE:
            return
        self._refused[document.scope] = now
        log.warning("policy %s %d is refused: %s", document.scope, document.version, why)
        with self._context.publisher.unit() as unit:
            event = self._event("policy_refused", "warning", document, why=why)
            unit.stage(events_topic(self._context), event)

    def _event(
        self,
        name: str,
        severity: Literal["info", "warning"],
        document: PolicyDocument,
        **detail: str,
    ) -> Event:
        about: dict[str, Detail] = {"scope": document.scope, "version": document.version, **detail}
        return own_event(self._context, name, severity, about)
