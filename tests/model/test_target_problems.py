"""What is wrong with a target, and what was meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdsno_cli.model.target_problems import target_problem
from pdsno_cli.model.targets import parse_range, parse_target


@pytest.mark.parametrize(
    ("text", "words", "meant"),
    [
        ("10.0.0.5/24", "not the first address of its /24", "10.0.0.0/24"),
        ("10.0.0.0/255.255.255.0", "instead of a netmask", "10.0.0.0/24"),
        ("10.0.0.0/0.0.0.255", "instead of a netmask", "10.0.0.0/24"),
        ("10.0.0.0/255.0.255.0", "not a valid netmask", None),
        ("10.0.0.0/33", "at most 32, not 33", None),
        ("10.0.0.0/", "'' is not a prefix length", None),
        ("10.0.0.0/x", "'x' is not a prefix length", None),
        ("10.0.0.256", "at most 255, not 256", None),
        ("10.0.0", "four numbers, not 3", None),
        ("10.0.0.0.1", "four numbers, not 5", None),
        ("10.0.0.01", "no leading zeros", "10.0.0.1"),
        ("10.0.0.9-10.0.0.1", "ends before it starts", "10.0.0.1-10.0.0.9"),
        ("10.0.0.1-30", "ends with a whole address", "10.0.0.1-10.0.0.30"),
        ("10.0.0.1-x", "ends with an address", None),
        ("10.0.0.300-10.0.0.9", "at most 255, not 300", None),
        ("10.0.0.1..10.0.0.9", "written with '-'", "10.0.0.1-10.0.0.9"),
        ("10.0.0.1–10.0.0.9", "written with '-'", "10.0.0.1-10.0.0.9"),  # noqa: RUF001
        ("10.0.0.1-10.0.0.9/24", "not both", "10.0.0.1-10.0.0.9"),
        ("10.0.1.*", "instead of '*'", "10.0.1.0/24"),
        ("10.0.1.1:161", "no port", "10.0.1.1"),
        ("http://10.0.1.1", "no scheme", None),
        ("2001:db8::5/64", "not the first address of its /64", "2001:db8::/64"),
        ("2001:db8::/129", "at most 128, not 129", None),
        ("2001:db8::/x", "'x' is not a prefix length (0 to 128)", None),
        ("2001:db8:1/64", "8 groups, not 3; write '::'", "2001:db8:1::/64"),
        ("2001:db8:0:1", "8 groups, not 4; write '::'", None),
        ("1:2:3:4:5:6:7:8:9", "has 8 groups", None),
        ("1::2:3:4:5:6:7:8", "stands for one or more", None),
        ("2001::db8::1", "'::' once, at most", None),
        ("2001:db8::12345", "at most four digits, not '12345'", None),
        ("2001:db8::00001", "at most four digits", "2001:db8::1"),
        ("2001:db8::g1", "hexadecimal, not 'g1'", None),
        ("2001:db8:", "zeros at the end are written '::'", "2001:db8::"),
        (":db8:1:2:3:4:5:6", "zeros at the start are written '::'", "0:db8:1:2:3:4:5:6"),
        ("[2001:db8::1]", "no brackets", "2001:db8::1"),
        ("[2001:db8::1]:161", "no port", "2001:db8::1"),
        ("[2001:db8::]/64", "no brackets", "2001:db8::/64"),
        ("fe80::1%eth0", "no zone after '%'", None),
        ("2001:DB8::1-2f", "ends with a whole address", "2001:db8::1-2001:db8::2f"),
        ("2001:db8::9-2001:db8::1", "ends before it starts", "2001:db8::1-2001:db8::9"),
        ("2001:db8::1–2001:db8::9", "written with '-'", "2001:db8::1-2001:db8::9"),  # noqa: RUF001
        ("2001:db8::1 to 2001:db8::9", "written with '-'", "2001:db8::1-2001:db8::9"),
        ("2001:db8:: /64", "no spaces", "2001:db8::/64"),
        ("2001:db8::1-2001:db8::9/120", "not both", "2001:db8::1-2001:db8::9"),
        ("2001:db8::1, 2001:db8::2", "write a list", None),
        ("10.0.0.1-2001:db8::1", "of one family", None),
        ("http://[2001:db8::1]", "no scheme", None),
        ("00:11:22:33:44:55", "it is a MAC", None),
        ("10.0.0.1, 10.0.0.2", "write a list", None),
        ("10.0.0.1 10.0.0.2", "write a list", None),
        ("sw", "host names are not looked up", None),
        ("sw-1.example.net", "host names are not looked up", None),
        ("sw-1.example.net/24", "host names are not looked up", None),
        ("", "it is empty", None),
        ("/24", "write an address", None),
    ],
)
def test_problem_is_named_and_what_was_meant(text, words, meant):
    with pytest.raises(ValueError, match="is not an address range"):
        parse_range(text)
    problem, found = target_problem(text)
    assert words in problem
    assert found == meant


TEXT = st.text("0123456789./-: *x,\u2013\u00b2\u0661", max_size=24)
MASKED = st.builds("{}/{}".format, st.ip_addresses(v=4), TEXT)


TEXT6 = st.text("0123456789abcf:./%-[] ", max_size=40)
MASKED6 = st.builds("{}/{}".format, st.ip_addresses(v=6), TEXT)
SPAN6 = st.builds("{}-{}".format, st.ip_addresses(), st.ip_addresses(v=6))


@given(st.one_of(TEXT, MASKED, TEXT6, MASKED6, SPAN6, st.text(max_size=12)))
def test_every_invalid_text_has_a_problem_and_only_valid_advice(text):
    try:
        parse_target(text)
    except ValueError:
        problem, meant = target_problem(text)
        assert problem
        assert "Expected" not in problem
        assert "Only decimal" not in problem
        if meant is not None:
            parse_range(meant)
