"""Draws the sessions of README.md, which tests run, as the picture at its top (rich).

`python -m tests.docs.picture` draws it again.
"""

from __future__ import annotations

import io
from pathlib import Path

from rich.console import Console
from rich.highlighter import RegexHighlighter
from rich.terminal_theme import SVG_EXPORT_THEME
from rich.theme import Theme

from tests.docs.sessions import SESSION

README, PICTURE = Path("README.md"), Path("docs/session.svg")
_WIDTH = 118
# Without the web font of rich's own format: a picture must not load anything.
_FORMAT = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">
<title>A session with pdsno</title>
<style>
.{unique_id}-matrix {{
  font: {char_height}px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  line-height: {line_height}px; white-space: pre;
}}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
<rect fill="#292929" width="{width}" height="{height}" rx="8"/>
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix" xml:space="preserve">
{matrix}
</g>
</g>
</svg>
"""


class _Words(RegexHighlighter):
    base_style = "pdsno."
    highlights = (
        r"(?P<prompt>^\$ .*$)",
        r"\b(?P<ready>ready)\b",
        r"\b(?P<error>error\[PDS\d+\])",
        r"(?P<mark>\^+)$",
        r"(?P<hint>did you mean .*)",
    )


def session_picture(readme: str) -> str:
    """Return the first two sessions of the page as an SVG."""
    styles = {"pdsno.prompt": "bold", "pdsno.ready": "green", "pdsno.error": "bold red",
              "pdsno.mark": "bold red", "pdsno.hint": "cyan"}  # fmt: skip
    console = Console(
        record=True, file=io.StringIO(), width=_WIDTH, theme=Theme(styles), highlighter=_Words(),
        color_system="truecolor", force_terminal=True,
    )  # fmt: skip
    for session in SESSION.findall(readme)[:2]:
        for line in session.splitlines():
            console.print(line, markup=False)
        console.print()
    return console.export_svg(
        code_format=_FORMAT, theme=SVG_EXPORT_THEME, unique_id="pdsno", title=""
    )


if __name__ == "__main__":
    PICTURE.write_text(session_picture(README.read_text()))
