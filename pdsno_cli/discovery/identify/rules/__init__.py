"""The rules, in the order in which they are tried: the first that matches is the device's.

Each module holds one trade. Within a module, what is narrow stands before what is wide: a rule with
a longer sysObjectID or a sysDescr before one that any device of a vendor matches.
"""

from __future__ import annotations

from pdsno_cli.discovery.identify.rule import Rule
from pdsno_cli.discovery.identify.rules import (
    access,
    carriers,
    cisco,
    facilities,
    security,
    servers,
)

RULES: tuple[Rule, ...] = (
    *cisco.RULES,
    *carriers.RULES,
    *access.RULES,
    *security.RULES,
    *facilities.RULES,
    *servers.RULES,
    *servers.LINUX,
)
