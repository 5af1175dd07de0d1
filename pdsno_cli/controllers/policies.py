"""The policies that one controller goes by: taken from whoever publishes them, or published."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from pdsno_cli.controllers import policy
from pdsno_cli.model.messages import Event, PolicyDocument
from pdsno_cli.model.refusals import Reason, RefusedError
from pdsno_cli.model.topics import SYSTEM

if TYPE_CHECKING:
    from pdsno_cli.controllers.ports import Context
    from pdsno_cli.model.messages import Command, Envelope

log = logging.getLogger(__name__)


class Policies:
    """The newest policy of each scope that concerns a controller. Owner's thread only."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._documents: dict[str, PolicyDocument] = {}

    def recall(self, *scopes: str) -> None:
        """Go by what was in force at the last stop; of several scopes the widest comes first."""
        for scope in scopes:
            record = self._context.store.policy(scope)
            if record is not None:
                self._documents[scope] = record.document

    def of(self, *scopes: str) -> list[PolicyDocument]:
        """Return the policies of ``scopes`` that are known, in that order."""
        return [self._documents[scope] for scope in scopes if scope in self._documents]

    def take(self, document: PolicyDocument) -> None:
        """Go by a policy, if it is newer; RefusedError when it is older than the one in force."""
        known = self._documents.get(document.scope)
        if known is not None and document.version < known.version:
            raise RefusedError(
                Reason.REPLAYED,
                f"policy {document.scope} {document.version} is older than {known.version}",
            )
        if known is None or document.version > known.version:
            self._keep(document)

    def publish(self, declared: PolicyDocument) -> None:
        """Publish the policy of a scope: the one that the file declares, or that was ordered."""
        record = self._context.store.policy(declared.scope)
        document = policy.next_document(record, declared)
        if record is None or document is not record.document:
            self._keep(document)
        self._send(document)

    def order(self, envelope: Envelope, command: Command, declared: PolicyDocument) -> None:
        """Put what a person orders in the place of ``declared``; RefusedError when it cannot be."""
        ordered = command.policy
        if ordered is None or ordered.scope != declared.scope:
            raise RefusedError(
                Reason.WRONG_TOPIC,
                f"{self._context.spec.controller_id} publishes the policy of {declared.scope} "
                "and carries out no other order",
            )
        problem = policy.problem(ordered)
        if problem is not None:
            raise RefusedError(Reason.UNPARSABLE, problem)
        record = self._context.store.policy(declared.scope)
        document = policy.numbered(ordered, after=record)
        replaced = policy.replaced_by(document, declared)
        self._keep(document, instead_of=replaced, answers=envelope.message_id)
        self._send(document, answers=envelope.message_id)

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
        spec = self._context.spec
        event = Event(
            event="policy_applied",
            severity="info",
            subject=spec.controller_id,
            region=spec.region,
            detail={"scope": document.scope, "version": document.version},
        )
        topic = self._context.topology.topics.events(spec.region or SYSTEM)
        with self._context.publisher.unit() as unit:
            unit.tx.put_policy(document, at=time.time(), instead_of=instead_of)
            unit.stage(topic, event, answers=answers)
        self._documents[document.scope] = document
        log.info("policy %s %d is in force", document.scope, document.version)
