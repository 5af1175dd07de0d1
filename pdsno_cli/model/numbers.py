"""Numbers in messages: bounded to what every JSON implementation represents exactly."""

from __future__ import annotations

from typing import Annotated

import msgspec

MAX_INTEGER = 2**53 - 1  # RFC 7493 section 2.2

Count = Annotated[int, msgspec.Meta(ge=0, le=MAX_INTEGER)]
Ordinal = Annotated[int, msgspec.Meta(ge=1, le=MAX_INTEGER)]
Seconds = Annotated[float, msgspec.Meta(ge=0)]
