"""Recordings in snmpsim's format, well-formed and not."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from pdsno_cli.discovery.identify.answers import Answers
from pdsno_cli.discovery.identify.evaluate import invented
from pdsno_cli.discovery.identify.facts import CLASSES
from pdsno_cli.discovery.identify.identity import identify
from pdsno_cli.discovery.identify.recording import read_recording

SYSTEM = "1.3.6.1.2.1.1"
DESCR = (1, 3, 6, 1, 2, 1, 1, 1, 0)


def value(text):
    (found,) = read_recording(text.encode()).values()
    return found.value


def test_every_tag_is_read():
    assert value("1.3.6|4|a|b") == b"a|b"
    assert value("1.3.6|4x|00ff41") == b"\x00\xffA"
    assert value("1.3.6|4e|a\\x0ab\\\\") == b"a\nb\\"
    assert value(".1.3.6|2|-5\r") == -5
    assert value("1.3.6|67|123") == 123
    assert value("1.3.6|70|18446744073709551615") == 18446744073709551615
    assert value("1.3.6|6|.1.3.6.1.4.1.9") == (1, 3, 6, 1, 4, 1, 9)
    assert value("1.3.6|64x|7f000001") == b"\x7f\0\0\1"
    assert value("1.3.6|66:numeric|7") == 7


def test_text_where_a_number_should_be_is_kept_as_text():
    assert value("1.3.6|66|none") == b"none"


def test_malformed_lines_are_skipped_and_the_first_of_two_values_counts():
    text = b"\n#\n|4|x\n1.3.6\n1.3.6|4\n1.a|4|x\n1.3|4x|zz\n1.3|6|x.y\n1.3|99999|x\n1.3|5|\n1.4|4|one\n1.4|4|two\n"
    assert {oid: item.value for oid, item in read_recording(text).items()} == {(1, 4): b"one"}


def test_every_line_end_of_a_value_is_a_blank():
    octets = b"one\r\ntwo".hex()
    answers = Answers(read_recording(f"{SYSTEM}.1.0|4x|{octets}".encode()))
    assert answers.text(DESCR) == "one two"


def test_message_of_a_tool_is_no_value():
    answers = Answers(read_recording(f"{SYSTEM}.1.0|4|No Such Object".encode()))
    assert answers.text(DESCR) is None


@given(st.binary(max_size=400))
@example(b"1.3.6.1.2.1.1.2.0|4|\xff")
@settings(max_examples=300)
def test_any_bytes_are_read_and_identified(data):
    checked(data)


TAGS = st.sampled_from(
    ["2", "4", "4x", "4e", "5", "6", "64", "64x", "65", "66", "67", "70", "x", ""]
)
OIDS = st.sampled_from(
    [
        f"{SYSTEM}.1.0", f"{SYSTEM}.2.0", f"{SYSTEM}.3.0", f"{SYSTEM}.5.0", f"{SYSTEM}.7.0",
        "1.3.6.1.2.1.47.1.1.1.1.5.1", "1.3.6.1.2.1.47.1.1.1.1.13.1", "1.3.6.1.2.1.47.1.1.1.1.11.1",
        "1.3.6.1.2.1.47.1.1.1.1", "1.3.6.1.2.1.47.1.1.1.1.12.4.5", "1.3.6.1.2.1.33.1.1.1.0",
        "1.3.6.1.2.1.43.5.1.1.17.1", "1.3.6.1.2.1.17.1.2.0", "1.0.8802.1.1.2.1.3.6.0",
        "1.3.6.1.4.1.9", "1.3.6.1.4.1.8072.3.2.10", "1.3.6.1.4.1.14988.1.1.4.4.0", "1.3",
    ]
)  # fmt: skip
VALUES = st.one_of(
    st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.integers().map(lambda number: str(number).encode()),
    st.sampled_from(
        [
            b"1.3.6.1.4.1.9.1.1", b"1.3.6.1.4.1.8072.3.2.10", b".1.3.6.1.4.1", b"1.3.6.1.4.1.99999999", b"0.0",
            b"Cisco IOS Software, Version ", b"Linux  ", b"RouterOS ", b"JUNOS", b"Hardware: - Software: Windows Version",
            b"Version" * 200, b"(" * 100, b"N/A", b"0000000", b"20 00 ff", b"\x1b[31mred",
        ]
    ),
)  # fmt: skip


@given(st.lists(st.tuples(OIDS, TAGS, VALUES), max_size=12))
@settings(max_examples=400)
def test_odd_values_at_the_places_that_rules_read_are_survived(rows):
    checked(b"\n".join(b"|".join((oid.encode(), tag.encode(), text)) for oid, tag, text in rows))


def checked(data):
    answers = Answers(read_recording(data))
    found = identify(answers)
    assert invented(found, answers) == []
    assert "type" not in found or found["type"].value in CLASSES
    for fact in found.values():
        assert fact.value.strip()
        assert fact.value.isprintable()
        assert len(fact.value) <= 255
