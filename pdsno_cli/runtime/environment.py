"""The variables of this process that secrets refer to, as the last applied file has them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pdsno_cli.spec.resolved import Environment


def set_environment(environment: Environment) -> None:
    """Set variables of this process, and unset those that are None."""
    for name, value in environment.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
