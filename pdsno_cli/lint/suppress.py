"""Hides findings that a comment ignores, and finds comments that are unused or invalid."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.lint.catalogue import ALWAYS, names
from pdsno_cli.model.diagnostics import Diagnostic, Edit, Severity
from pdsno_cli.model.names import did_you_mean
from pdsno_cli.spec import codes
from pdsno_cli.spec.document import excerpt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pdsno_cli.lint.comments import Comment
    from pdsno_cli.spec.document import Document

_FORM = "write # pdsno: ignore[PDS221] reason, or ignore-file[PDS221] for the whole file"
_OUTSIDE = frozenset({codes.VARIABLE})  # depends on the environment: unused here is not unused


def suppress(
    found: Iterable[Diagnostic],
    document: Document,
    *,
    selected: Callable[[str], bool],
    complete: bool,
) -> tuple[list[Diagnostic], list[Diagnostic]]:
    """Return the findings that are left, with those about the comments, and those that are ignored.

    A code that is not ``selected`` has no findings, so ignoring it is not reported as unused; nor
    is one of the rules if the file is not ``complete``, since its rule may not have run.
    """
    if "pdsno:" not in document.text:
        return list(found), []
    from pdsno_cli.lint import comments

    listed = comments.find(document)
    if not listed:
        return list(found), []
    by_place: dict[tuple[int | None, str], list[Comment]] = {}
    for comment in listed:
        for code in comment.codes:
            by_place.setdefault((comment.applies, code.text), []).append(comment)
    kept: list[Diagnostic] = []
    ignored: list[Diagnostic] = []
    used: set[tuple[int, int, str]] = set()
    for item in found:
        matching = [
            comment
            for applies in (item.line, None)
            for comment in by_place.get((applies, item.code), ())
        ]
        used.update((comment.line, comment.column, item.code) for comment in matching)
        (ignored if matching and item.code not in ALWAYS else kept).append(item)
    kept += _invalid(document, listed)
    kept += _unused(
        document, listed, used, lambda code: selected(code) and (complete or code < "PDS2")
    )
    return kept, ignored


def _invalid(document: Document, listed: Iterable[Comment]) -> Iterator[Diagnostic]:
    for comment in listed:
        if not comment.valid:
            yield _finding(
                document, comment, codes.INVALID_IGNORE, "this comment ignores nothing", hint=_FORM
            )
        for code in comment.codes:
            if code.text not in names():
                hint = did_you_mean(code.text, names()) or "codes are PDS and three digits"
                yield Diagnostic(
                    path=document.path,
                    line=comment.line,
                    column=code.column,
                    end_column=code.column + len(code.text),
                    code=codes.INVALID_IGNORE,
                    severity=Severity.WARNING,
                    message=f"unknown code {code.text!r} in a comment",
                    hint=hint,
                    excerpt=excerpt(document.lines, comment.line),
                )


def _unused(
    document: Document,
    listed: Iterable[Comment],
    used: set[tuple[int, int, str]],
    selected: Callable[[str], bool],
) -> Iterator[Diagnostic]:
    for comment in listed:
        unused = [
            code.text
            for code in comment.codes
            if code.text in names()
            and code.text not in _OUTSIDE
            and selected(code.text)
            and (comment.line, comment.column, code.text) not in used
        ]
        if unused:
            where = "in this file" if comment.applies is None else f"on line {comment.applies}"
            yield _finding(
                document,
                comment,
                codes.UNUSED_IGNORE,
                f"nothing to ignore: no {' or '.join(unused)} {where}",
                hint="remove it" if len(unused) == len(comment.codes) else "remove the code",
                fix=_removal(document, comment, set(unused)),
            )


def _removal(document: Document, comment: Comment, unused: set[str]) -> tuple[Edit, ...]:
    rest = [code.text for code in comment.codes if code.text not in unused]
    line = comment.line
    if rest:
        first, last = comment.codes[0], comment.codes[-1]
        return (
            Edit(
                line=line,
                column=first.column,
                end_line=line,
                end_column=last.column + len(last.text),
                text=", ".join(rest),
            ),
        )
    whole = comment.start == 1 and line < len(document.lines)
    end_line, end_column = (line + 1, 1) if whole else (line, comment.end_column)
    return (
        Edit(line=line, column=comment.start, end_line=end_line, end_column=end_column, text=""),
    )


def _finding(
    document: Document,
    comment: Comment,
    code: str,
    message: str,
    *,
    hint: str,
    fix: tuple[Edit, ...] = (),
) -> Diagnostic:
    return Diagnostic(
        path=document.path,
        line=comment.line,
        column=comment.column,
        end_column=comment.end_column,
        code=code,
        severity=Severity.WARNING,
        message=message,
        hint=hint,
        fix=fix,
        excerpt=excerpt(document.lines, comment.line),
    )
