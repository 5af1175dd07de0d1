"""PDS210: two local controllers that discover the same addresses."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pdsno_cli.lint.common import local_targets, target_path
from pdsno_cli.lint.rule import Rule
from pdsno_cli.model.diagnostics import Severity
from pdsno_cli.model.targets import TOO_MANY, is_link

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pdsno_cli.model.diagnostics import Diagnostic
    from pdsno_cli.spec.document import Document
    from pdsno_cli.spec.topology import Controller, Topology

CODE = "PDS210"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    """A target of a local controller; ``order`` is its number in the file."""

    first: int
    last: int
    order: int
    index: int
    controller: Controller
    link: bool


def check(topology: Topology, document: Document) -> Iterator[Diagnostic]:
    """Yield an error for each target that another controller has too, a warning for a repetition."""
    targets = [
        _Target(
            first=r.first,
            last=r.last,
            order=order,
            index=index,
            controller=controller,
            link=is_link(r),
        )
        for order, (controller, index, r) in enumerate(local_targets(topology))
        if r.last - r.first < TOO_MANY or is_link(r)  # a wider one is a finding of wide-targets
    ]
    for one, other in _overlaps(targets):
        first, second = sorted((one, other), key=lambda target: target.order)
        path = target_path(document, second.controller, second.index)
        yield document.finding(
            CODE,
            f"{_text(second)} of {second.controller.controller_id!r} overlaps "
            f"{_text(first)} of {first.controller.controller_id!r}",
            path,
            hint="each would report the other's devices: remove the addresses from one of them",
        )
    several = Counter(target.controller.controller_id for target in targets)
    repeated = [target for target in targets if several[target.controller.controller_id] > 1]
    # An address on a link is asked, even if it does not answer what all neighbours are asked at once.
    yield from _repetitions([target for target in repeated if not target.link], document)
    yield from _repetitions([target for target in repeated if target.link], document)


def _repetitions(targets: list[_Target], document: Document) -> Iterator[Diagnostic]:
    """Yield a warning for each target that overlaps another one of the same controller."""
    reached: dict[str, _Target] = {}
    for target in sorted(targets, key=lambda item: (item.first, -item.last, item.order)):
        name = target.controller.controller_id
        passed = reached.get(name)
        if passed is None or passed.last < target.first:
            reached[name] = target
            continue
        # The narrower one is superfluous if it is within the other, else the later one is named.
        within = target.last <= passed.last
        same = within and (target.first, target.last) == (passed.first, passed.last)
        first, second = (
            (passed, target)
            if within and not same
            else sorted((passed, target), key=lambda item: item.order)
        )
        yield document.finding(
            CODE,
            f"{_text(second)} is already in {_text(first)}"
            if within
            else f"{_text(second)} overlaps {_text(first)} of the same controller",
            target_path(document, second.controller, second.index),
            severity=Severity.WARNING,
            hint=f"remove {_text(second)}" if within else "write one span that covers both",
        )
        if not within:
            reached[name] = target


def _overlaps(targets: list[_Target]) -> Iterator[tuple[_Target, _Target]]:
    """Yield each target with one of another controller that begins before it and reaches it.

    The targets are visited in the order of first addresses. Of those visited, only the one with the
    highest last address can overlap or, if the same controller has it, the highest of the others.
    """
    furthest: _Target | None = None
    runner_up: _Target | None = None
    for target in sorted(targets, key=lambda item: (item.first, item.order)):
        name = target.controller.controller_id
        for passed in (furthest, runner_up):
            if passed is None or passed.last < target.first:
                continue
            if passed.controller.controller_id != name:
                yield passed, target
                break
        if furthest is None or target.last > furthest.last:
            if furthest is not None and furthest.controller.controller_id != name:
                runner_up = furthest
            furthest = target
        elif furthest.controller.controller_id != name and (
            runner_up is None or target.last > runner_up.last
        ):
            runner_up = target


def _text(target: _Target) -> str:
    return target.controller.discovery.targets[target.index]


RULE = Rule(code=CODE, name="overlapping-targets", check=check)
