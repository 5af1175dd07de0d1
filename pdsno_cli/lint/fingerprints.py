"""Names a finding so that it is known again after other lines of its file have moved."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pdsno_cli.model.diagnostics import Diagnostic

_PLACE = re.compile(r"\bline \d+(?:, column \d+)?")
_LENGTH = 32  # hexadecimal digits


def fingerprints(diagnostics: Iterable[Diagnostic], name: Callable[[str], str] = str) -> list[str]:
    """Return a fingerprint for each finding, unique among them.

    It follows from code, path (as ``name`` gives it), message and source line, without positions;
    from how many alike came before, where there are several.
    """
    seen: Counter[str] = Counter()
    found = []
    for item in diagnostics:
        message = _PLACE.sub("line", item.message)
        source = (item.excerpt or "").strip()
        whole = "\0".join((item.code, name(item.path), message, source))
        salted = f"{whole}\0{seen[whole]}".encode(errors="surrogatepass")
        found.append(hashlib.sha256(salted).hexdigest()[:_LENGTH])
        seen[whole] += 1
    return found
