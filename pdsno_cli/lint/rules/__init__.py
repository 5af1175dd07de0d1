"""The rules: each module has one, as ``RULE``; ``docs/rules.md`` explains it by its code."""
