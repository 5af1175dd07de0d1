"""The rules: each module holds one, as ``RULE``; ``docs/rules.md`` explains it by its code."""
