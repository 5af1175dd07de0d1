"""The codes of findings from reading, schema and build; ``docs/rules.md`` explains them.

Each code PDS2xx is defined by its rule in ``lint``; PDS9xx are about comments for pdsno and baselines.
"""

from __future__ import annotations

SYNTAX = "PDS001"
DUPLICATE_KEY = "PDS002"
LIMIT = "PDS003"
ENCODING = "PDS004"
SHAPE = "PDS005"
YAML_FEATURE = "PDS006"
VARIABLE = "PDS007"

UNKNOWN_KEY = "PDS101"
MISSING_KEY = "PDS102"
WRONG_TYPE = "PDS103"
NO_SUCH_VALUE = "PDS104"
MALFORMED = "PDS105"
OUT_OF_BOUNDS = "PDS106"
KEY_RANGE = "PDS107"
SPLIT = "PDS108"

UNUSED_IGNORE = "PDS901"
INVALID_IGNORE = "PDS902"
STALE_BASELINE = "PDS903"

NAMES = {
    SYNTAX: "syntax",
    DUPLICATE_KEY: "duplicate-key",
    LIMIT: "limit",
    ENCODING: "encoding",
    SHAPE: "one-mapping",
    YAML_FEATURE: "yaml-feature",
    VARIABLE: "variable",
    UNKNOWN_KEY: "unknown-key",
    MISSING_KEY: "missing-key",
    WRONG_TYPE: "wrong-type",
    NO_SUCH_VALUE: "no-such-value",
    MALFORMED: "malformed",
    OUT_OF_BOUNDS: "out-of-bounds",
    KEY_RANGE: "key-range",
    SPLIT: "split",
    UNUSED_IGNORE: "unused-ignore",
    INVALID_IGNORE: "invalid-ignore",
    STALE_BASELINE: "stale-baseline",
}
