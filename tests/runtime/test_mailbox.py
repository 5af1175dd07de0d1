from __future__ import annotations

import threading

from pdsno_cli.runtime.mailbox import Mailbox


def test_run_does_posted_work_in_order_on_the_calling_thread():
    mailbox, done = Mailbox(), []
    for number in range(5):
        mailbox.post(lambda number=number: done.append((number, threading.current_thread())))
    mailbox.post(mailbox.close)
    mailbox.run()
    assert done == [(number, threading.current_thread()) for number in range(5)]


def test_after_calls_in_the_order_of_the_clock():
    mailbox, done = Mailbox(), []
    mailbox.after(0.02, lambda: done.append("later"))
    mailbox.after(0.01, lambda: done.append("sooner"))
    mailbox.after(0.03, mailbox.close)
    mailbox.run()
    assert done == ["sooner", "later"]


def test_again_lets_whatever_waits_go_first():
    mailbox, done = Mailbox(capacity=3), []

    def flood():
        done.append("flood")
        if len(done) < 5:
            mailbox.again(flood)

    mailbox.post(flood)
    mailbox.post(lambda: done.append("one"))
    mailbox.post(lambda: done.append("two"))
    mailbox.after(0.05, mailbox.close)
    mailbox.run()
    assert done == ["flood", "one", "two", "flood", "flood"]


def test_again_does_not_wait_for_room_that_nobody_else_would_make():
    mailbox, done = Mailbox(capacity=1), []

    def full():
        mailbox.post(lambda: done.append("posted"))
        mailbox.again(lambda: done.append("again"))

    mailbox.post(full)
    mailbox.after(0.05, mailbox.close)
    mailbox.run()
    assert sorted(done) == ["again", "posted"]


def test_cancel_keeps_a_timer_from_firing():
    mailbox, done = Mailbox(), []
    mailbox.after(0.001, lambda: done.append("fired")).cancel()
    mailbox.after(0.01, mailbox.close)
    mailbox.run()
    assert done == []


def test_run_goes_on_after_work_that_raises(caplog):
    mailbox, done = Mailbox(), []
    mailbox.post(lambda: 1 / 0)
    mailbox.post(lambda: done.append("after"))
    mailbox.post(mailbox.close)
    mailbox.run()
    assert done == ["after"]
    assert "a handler raised" in caplog.text


def test_post_waits_while_full_and_gives_up_once_closed():
    mailbox = Mailbox(capacity=1)
    mailbox.post(lambda: None)
    posted = threading.Event()

    def second():
        mailbox.post(lambda: None)
        posted.set()

    thread = threading.Thread(target=second)
    thread.start()
    assert not posted.wait(0.05)
    mailbox.close()
    thread.join(5)
    assert posted.is_set()


def test_close_from_a_signal_handler_ends_a_waiting_run():
    import os
    import signal

    mailbox = Mailbox()
    before = signal.signal(signal.SIGUSR1, lambda *_: mailbox.close())
    try:
        threading.Timer(0.02, os.kill, (os.getpid(), signal.SIGUSR1)).start()
        mailbox.run()
    finally:
        signal.signal(signal.SIGUSR1, before)
