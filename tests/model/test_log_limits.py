from __future__ import annotations

import logging
import queue

from pdsno_cli.model.log_limits import LogLimits, throttled

OURS = "pdsno_cli.somewhere"


def record(text, *args, name=OURS, mark=None):
    extra = {} if mark is None else throttled(mark)
    return logging.makeLogRecord(
        {"name": name, "levelno": logging.WARNING, "msg": text, "args": args, **extra}
    )


def test_number_of_suppressed_records_is_logged_at_the_end_of_the_period():
    told = queue.Queue()
    limits = LogLimits(told.put, period=0.05)
    passed = [limits.filter(record("refused %d", n, mark="altered")) for n in range(100)]
    assert passed.count(True) < 100
    held = 0
    while held + passed.count(True) < 100:
        text = told.get(timeout=30).getMessage()
        held += int(text.rsplit("[", 1)[1].split()[0])
    assert text.startswith("refused 99 [")


def test_kind_passes_again_when_its_time_is_over():
    told = queue.Queue()
    limits = LogLimits(told.put, period=0.01)
    assert limits.filter(record("refused", mark=""))
    while not limits.filter(record("refused", mark="")):
        pass


def test_own_record_that_is_not_marked_passes_more_often_but_not_for_ever():
    limits = LogLimits(lambda _: None)
    passed = [limits.filter(record("connected to %s", n)) for n in range(1000)]
    assert 10 <= sum(passed) <= 100


def test_kinds_are_forgotten_before_they_are_too_many():
    told = queue.Queue()
    limits = LogLimits(told.put)
    for number in range(10_000):
        assert limits.filter(record("refused", mark=str(number)))
    assert len(limits._kinds) < 1000


def test_marked_record_passes_a_logger_without_limits(caplog):
    logging.getLogger(OURS).warning("refused on %s", "a/b", extra=throttled("altered"))
    assert caplog.messages == ["refused on a/b"]
