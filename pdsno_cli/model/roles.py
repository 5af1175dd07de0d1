"""The three roles of a controller."""

from __future__ import annotations

from enum import Enum


class Role(Enum):
    """Where a controller stands in the hierarchy; the order is from the top down."""

    GLOBAL = "global"
    REGIONAL = "regional"
    LOCAL = "local"
