"""The deadline of a test: it interrupts wherever the test waits, and leaves no timer behind."""

from __future__ import annotations

import signal
import threading

import pytest

from harness.errors import HarnessError, TestDeadline
from harness.pytest_plugin.deadline import Deadline


def test_a_wait_is_interrupted() -> None:
    """The message says how long, in what, and which option; the timer and its handler are as before."""
    handler = signal.getsignal(signal.SIGALRM)

    with (
        pytest.raises(
            TestDeadline, match=r"did not end within 0.1 s; it was interrupted in its call \(--test-"
        ),
        Deadline(0.1).over("call"),
    ):
        threading.Event().wait(30)

    assert issubclass(TestDeadline, HarnessError)
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert signal.getsignal(signal.SIGALRM) is handler


def test_phases_share_one_deadline() -> None:
    """A call has what the set-up left of the time."""
    deadline = Deadline(60)
    with deadline.over("set-up"):
        threading.Event().wait(0.05)

    with deadline.over("call"):
        assert 0 < signal.getitimer(signal.ITIMER_REAL)[0] <= 59.95


def test_a_deadline_that_was_used_up_interrupts_at_once() -> None:
    """No time left means now, not never."""
    deadline = Deadline(0.01)
    threading.Event().wait(0.02)

    with pytest.raises(TestDeadline), deadline.over("call"):
        threading.Event().wait(30)


def test_no_deadline() -> None:
    """0 is no limit: nothing is armed."""
    with Deadline(0).over("call"):
        assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_outside_the_main_thread() -> None:
    """Signals belong to the main thread; elsewhere a test runs without a deadline."""
    armed = []

    def run() -> None:
        with Deadline(1).over("call"):
            armed.append(signal.getitimer(signal.ITIMER_REAL))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert armed == [(0.0, 0.0)]
