"""Runs one probe of a sweep, and makes one outcome of its parts."""

from __future__ import annotations

import time
from collections.abc import Sequence

from pdsno_cli.discovery.probe import Answers, ProbeRequest, ProbeUnavailableError, load
from pdsno_cli.model.devices import ProbeResult
from pdsno_cli.model.probes import ProbeFacts

Outcome = tuple[Answers, ProbeResult]


def run_probe(facts: ProbeFacts, request: ProbeRequest) -> Outcome:
    """Run one probe on the current thread; an exception becomes its result."""
    started = time.monotonic()
    error = None
    answers: Answers = {}
    try:
        if request.targets:
            answers = load(facts).sweep(request)
    except ProbeUnavailableError as exc:
        error = str(exc)
    except Exception as exc:  # noqa: BLE001 - the failure of one probe must not end the others
        error = f"{type(exc).__name__}: {exc}"
    return answers, ProbeResult(
        protocol=facts.name,
        targets=len(request.targets),
        answers=len(answers),
        seconds=round(time.monotonic() - started, 3),
        error=error,
    )


def joined(facts: ProbeFacts, outcomes: Sequence[Outcome]) -> Outcome:
    """Return the parts of one probe as one; it could not be used if it could be in no part."""
    probes = [probe for _, probe in outcomes]
    errors = [probe.error for probe in probes if probe.targets]
    reasons = dict.fromkeys(error for error in errors if error is not None)
    return (
        {address: fields for answers, _ in outcomes for address, fields in answers.items()},
        ProbeResult(
            protocol=facts.name,
            targets=sum(probe.targets for probe in probes),
            answers=sum(probe.answers for probe in probes),
            seconds=round(sum(probe.seconds for probe in probes), 3),
            error="; ".join(reasons) if reasons and None not in errors else None,
        ),
    )
