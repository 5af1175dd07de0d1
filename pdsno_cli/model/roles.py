"""The three roles of a controller."""

from __future__ import annotations

from enum import Enum


class Role(Enum):
    """A level of the hierarchy; the order is from the top down."""

    GLOBAL = "global"
    REGIONAL = "regional"
    LOCAL = "local"
