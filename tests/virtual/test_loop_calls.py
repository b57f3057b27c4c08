"""Calls from a board's thread to the loop: results, errors, and that a power cut ends them all at once."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from harness.virtual.loop_calls import Abandoned, LoopCalls
from harness.virtual.power_points import PowerLost, PowerPoints
from tests.virtual.paper_bench import DEADLINE, PaperHost

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def host() -> Iterator[PaperHost]:
    """A bench's loop; none of its callbacks may fail."""
    host = PaperHost()
    yield host
    host.close()
    assert host.failures == []


@pytest.fixture
def calls(host: PaperHost) -> LoopCalls:
    """The calls of one run."""
    return LoopCalls(host)


class StoppedLoop:
    """A loop that does nothing until it is told to."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], None]] = []
        self.asked = threading.Event()

    def call_soon(self, callback: Callable[[], None]) -> None:
        self.waiting.append(callback)
        self.asked.set()


class Other(threading.Thread):
    """Does something on a thread of its own, and keeps how it ended."""

    def __init__(self, work: Callable[[], object]) -> None:
        super().__init__(daemon=True)
        self._work = work
        self.outcome: object = None
        self.start()

    def run(self) -> None:
        try:
            self.outcome = self._work()
        except Exception as error:  # noqa: BLE001 - a test looks at it
            self.outcome = error

    def end(self) -> object:
        self.join(DEADLINE)
        assert not self.is_alive(), "it hangs"
        return self.outcome


def test_call_is_made_on_the_loop_and_answered(host: PaperHost, calls: LoopCalls) -> None:
    """The result comes back, ``None`` too, and the work was done on the loop's thread."""
    loop_thread = host.on_loop(threading.get_ident)

    assert calls.call(threading.get_ident) == loop_thread
    assert calls.call(lambda: None) is None


def test_exception_comes_back(calls: LoopCalls) -> None:
    """What the work raises is raised where its result is waited for, and the next call is as ever."""

    def fail() -> None:
        raise KeyError("missing")

    with pytest.raises(KeyError, match="missing"):
        calls.call(fail)
    assert calls.call(lambda: 3) == 3
    assert not calls.abandoned


def test_power_lost_on_the_loop_ends_the_run(calls: LoopCalls) -> None:
    """The run is abandoned by it, whoever else is told of the cut."""

    def cut() -> None:
        raise PowerLost("here")

    with pytest.raises(Abandoned):
        calls.call(cut)
    assert calls.abandoned
    with pytest.raises(Abandoned):
        calls.check()


def test_call_under_way_ends_when_the_power_goes() -> None:
    """Whoever waits is let go at once, and what waited for the loop is not done any more."""
    loop, done = StoppedLoop(), list[int]()
    calls = LoopCalls(loop)
    other = Other(lambda: calls.call(lambda: done.append(1)))
    assert loop.asked.wait(DEADLINE)
    calls.abandon()

    assert isinstance(other.end(), Abandoned)
    for each in loop.waiting:
        each()
    assert done == []


def test_calls_after_the_power_went(host: PaperHost, calls: LoopCalls) -> None:
    """Nothing is done, and everything says so; to abandon twice is to abandon."""
    calls.abandon()
    calls.abandon()
    done: list[int] = []

    with pytest.raises(Abandoned):
        calls.call(lambda: done.append(1))
    with pytest.raises(Abandoned):
        calls.wait(lambda: True, 0)
    host.on_loop(lambda: None)
    assert done == []


# -- points --------------------------------------------------------------------------------------------------


def test_points_bother_the_loop_only_while_a_cut_waits() -> None:
    """Without an order a point is only noted."""
    loop, points = StoppedLoop(), PowerPoints(("exchange",))
    calls = LoopCalls(loop)
    calls.pass_by(points, "exchange", "x")
    assert loop.waiting == []
    assert points.passed() == [("exchange", "x")]


def test_power_goes_at_a_point(host: PaperHost, calls: LoopCalls) -> None:
    """The supply fails on the loop's thread, and the run is over."""
    points, where = PowerPoints(("exchange",)), list[tuple[int, bool]]()
    points.connect(lambda back: where.append((threading.get_ident(), back)))
    points.arm("exchange", 2, comes_back=True)
    calls.pass_by(points, "exchange", "x")
    with pytest.raises(Abandoned):
        calls.pass_by(points, "exchange", "y")

    assert where == [(host.on_loop(threading.get_ident), True)]
    assert points.passed() == [("exchange", "x"), ("exchange", "y")]


# -- waiting -------------------------------------------------------------------------------------------------


def test_wait_until_it_is_so() -> None:
    """A change that is notified is seen at once, by a condition of others too."""
    changed, facts = threading.Condition(), set[str]()
    calls = LoopCalls(StoppedLoop(), changed)
    assert calls.changed is changed
    started = time.monotonic()
    other = Other(lambda: calls.wait(lambda: "online" in facts, 10 * DEADLINE))
    with changed:
        facts.add("online")
        changed.notify_all()

    assert other.end() is True
    assert time.monotonic() - started < DEADLINE


def test_wait_for_what_never_is(calls: LoopCalls) -> None:
    """The wait ends in time, and says that it is not so."""
    assert calls.wait(lambda: False, 0.01) is False


def test_wait_ends_when_the_power_goes(calls: LoopCalls) -> None:
    """Nobody waits on a board without power."""
    looked = threading.Event()

    def look() -> bool:
        looked.set()
        return False

    other = Other(lambda: calls.wait(look, 10 * DEADLINE))
    assert looked.wait(DEADLINE)
    calls.abandon()

    assert isinstance(other.end(), Abandoned)
