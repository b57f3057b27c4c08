"""The one alarm of a process: whoever set it before is woken when their time comes, and so are we."""

from __future__ import annotations

import itertools
import select
import signal
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

import harness.alarm
from harness.alarm import _Outer, interrupted_after

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType


alarm_file = harness.alarm.__file__
#: When an alarm strikes that is to be swallowed: a busy machine has begun the wait by then.
SOON = 0.5


class TheirsError(Exception):
    """What the other plugin raises."""


class OursError(Exception):
    """What we raise."""


@contextmanager
def another_alarm(seconds: float, interval: float = 0.0) -> Iterator[None]:
    """Set the alarm as another plugin does."""

    def strike(_number: int, _frame: FrameType | None) -> None:
        raise TheirsError

    before = signal.signal(signal.SIGALRM, strike)
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds, interval)
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def wait() -> None:
    """Wait for longer than any alarm takes."""
    select.select([], [], [], 30)  # an interrupted Event may be left with its lock in disorder


def test_an_earlier_alarm_of_others_goes_off_in_its_time() -> None:
    """Ours does not put it off; it can be swallowed, and then ours comes."""
    # Whoever expects it stands outside: on a busy machine it may strike before the wait has begun.
    with pytest.raises(TheirsError), another_alarm(0.05), interrupted_after(60, OursError):
        wait()

    with another_alarm(SOON), interrupted_after(3 * SOON, OursError):
        with pytest.raises(TheirsError):
            wait()
        with pytest.raises(OursError):
            wait()


def test_a_later_alarm_of_others_is_left_as_it_was() -> None:
    """It has what is left of its time, its interval and its handler."""
    with another_alarm(60, 7):
        handler = signal.getsignal(signal.SIGALRM)
        with pytest.raises(OursError), interrupted_after(0.05, OursError):
            wait()
        left, interval = signal.getitimer(signal.ITIMER_REAL)
        assert left <= 59.95
        assert interval == 7
        assert signal.getsignal(signal.SIGALRM) is handler


def test_an_alarm_that_is_overdue_goes_off_at_once() -> None:
    """Time that was over while nothing could be interrupted is no time won, and no timer of 0 seconds."""
    with another_alarm(60), pytest.raises(TheirsError):
        outer = _Outer()
        outer.due = time.monotonic() - 1
        outer.restore()
        wait()


def test_one_within_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each interrupts in its own time, and again when it was swallowed, the outer one through the inner."""
    monkeypatch.setattr("harness.alarm._SECONDS_BETWEEN_REMINDERS", SOON)

    with interrupted_after(SOON, TheirsError), interrupted_after(60, OursError):
        for _ in range(2):
            with pytest.raises(TheirsError):
                wait()

    with interrupted_after(60, TheirsError), interrupted_after(SOON, OursError):
        for _ in range(2):
            with pytest.raises(OursError):
                wait()
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_an_alarm_that_nobody_asked_for() -> None:
    """Somebody else's signal does not end the time, and the alarm is still set."""
    with interrupted_after(60, OursError):
        signal.raise_signal(signal.SIGALRM)
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 50


class Striking:
    """Sends the alarm's signal at one place of the alarm's own code, place by place."""

    def __init__(self, place: int) -> None:
        self._left = place
        self.struck = False

    def trace(self, frame: FrameType, event: str, _argument: object) -> Any:
        """Be the tracing function of the interpreter."""
        if frame.f_code.co_filename != alarm_file:
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            self._left -= 1
            if self._left == 0:
                self.struck = True
                sys.settrace(None)
                signal.raise_signal(signal.SIGALRM)
        return self.trace


def test_none_is_left_behind_wherever_it_strikes() -> None:
    """Time that is over between two steps of ours interrupts nobody who comes after us."""
    tracing, struck, interrupted = sys.gettrace(), 0, 0

    def theirs(_number: int, _frame: FrameType | None) -> None:
        """Be a handler that minds nothing: what strikes before ours is set, or behind it, is not ours."""

    before = signal.signal(signal.SIGALRM, theirs)
    try:
        for place in itertools.count(1):
            striking = Striking(place)
            try:
                sys.settrace(striking.trace)
                with interrupted_after(0, OursError):
                    pass
            except OursError:
                interrupted += 1
            finally:
                sys.settrace(tracing)
            assert signal.getsignal(signal.SIGALRM) is theirs, place
            assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0), place
            if not striking.struck:
                break
            struck += 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert interrupted > 20, "it did strike"
    assert struck > interrupted, "and where it does no harm any more, too"
