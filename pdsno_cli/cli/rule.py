"""``pdsno rule``: explains a rule, or lists all of them."""

from __future__ import annotations

import json
import re
import textwrap
from typing import TYPE_CHECKING, Annotated

import typer

from pdsno_cli.cli import console
from pdsno_cli.cli.args import JSON
from pdsno_cli.cli.completion import values

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pdsno_cli.lint.pages import Page

FORMAT_VERSION = 1
_WIDTH = 80
_LINK = re.compile(r"\[([^\]]+)\]\([^)]+\)")


def _known() -> list[str]:
    from pdsno_cli.lint.pages import pages

    return [text for page in pages().values() for text in (page.code, page.name)]


def rule(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[RULE]", autocompletion=values(_known), help="A code or a name, as in PDS301."
        ),
    ] = None,
    as_json: JSON = False,
) -> None:
    """Explain a lint rule, or list all.

    The page of a rule says what it finds and why, with a bad and a good example.
    """
    from pdsno_cli.cli.table import table
    from pdsno_cli.lint.pages import pages

    known = pages()
    shown = list(known.values()) if name is None else [_find(name, known)]
    if as_json:
        rules = [
            {
                "code": page.code,
                "name": page.name,
                "severity": page.severity,
                "text": page.text,
                "bad": page.bad,
                "good": page.good,
            }
            for page in shown
        ]
        console.data(json.dumps({"format_version": FORMAT_VERSION, "rules": rules}, indent=2))
    elif name is None:
        rows = [(page.code, page.severity, page.name) for page in shown]
        console.data(table(("code", "severity", "name"), rows))
    else:
        console.data(_text(shown[0]))


def _find(name: str, known: Mapping[str, Page]) -> Page:
    """Return the page that a code, with or without its letters, or a name has."""
    from pdsno_cli.model.errors import UsageError
    from pdsno_cli.model.names import nearest

    wanted = name.strip().upper()
    code = f"PDS{wanted}" if wanted.isdecimal() else wanted
    if code in known:
        return known[code]
    names = {page.name.upper(): page for page in known.values()}
    if wanted in names:
        return names[wanted]
    close = nearest(name, [page.name for page in known.values()])
    hint = f"did you mean {close!r}?" if close else "`pdsno rule` lists all"
    raise UsageError(f"unknown rule {name!r}: {hint}")


def _text(page: Page) -> str:
    """Return a page for a terminal."""
    blocks = [f"{page.code} {page.name} ({page.severity})"]
    blocks += [_wrapped(block) for block in _LINK.sub(r"\1", page.text).split("\n\n")]
    for kind, example in (("Bad", page.bad), ("Good", page.good)):
        if example is not None:
            blocks.append(f"{kind}:\n\n{textwrap.indent(example.rstrip(), '  ')}")
    return "\n\n".join(blocks)


def _wrapped(block: str) -> str:
    """Return a paragraph wrapped; a table or list stays as it is."""
    if block.startswith(("|", "- ")):
        return block
    return textwrap.fill(block, _WIDTH, break_long_words=False, break_on_hyphens=False)
