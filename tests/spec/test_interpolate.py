"""References to the environment in text."""

from __future__ import annotations

import pytest

from pdsno_cli.spec.interpolate import ReferenceProblem, literal_parts, substitute

ENVIRONMENT = {"HOST": "broker", "EMPTY": ""}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain $HOST", "plain $HOST"),
        ("${HOST}:${PORT:-1883}", "broker:1883"),
        ("${EMPTY}", ""),
        ("${EMPTY:-default}", "default"),
        ("${HOST:-default}", "broker"),
        ("${UNSET:-}", ""),
        ("$${HOST}", "${HOST}"),
    ],
)
def test_references_are_replaced(text, expected):
    assert substitute(text, ENVIRONMENT) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("${UNSET}", "the environment variable UNSET is not set"),
        ("${", "an incomplete reference"),
        ("${1X}", "an incomplete reference"),
        ("${HOST", "an incomplete reference"),
    ],
)
def test_invalid_reference_is_one_sentence(text, words):
    with pytest.raises(ReferenceProblem, match=words):
        substitute(text, ENVIRONMENT)


def test_literal_parts_include_defaults_only():
    assert literal_parts("${USER}:${PASSWORD:-hunter2}@") == ":hunter2@"
    assert literal_parts("${PASSWORD}") == ""
