"""The event loop: timers, calls from other threads, descriptors."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING

import pytest

from harness.virtual.loop import READABLE, Loop

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def loop() -> Iterator[Loop]:
    """A loop of the test's own thread."""
    loop = Loop()
    yield loop
    loop.close()


def test_timers_run_in_the_order_of_their_time(loop: Loop) -> None:
    """Later timers run later, equal ones in the order in which they were made."""
    ran: list[str] = []
    loop.call_later(0.02, loop.stop)
    loop.call_later(0.01, lambda: ran.append("third"))
    loop.call_later(0, lambda: ran.append("first"))
    loop.call_later(0, lambda: ran.append("second"))

    loop.run()

    assert ran == ["first", "second", "third"]


def test_a_timer_is_not_early(loop: Loop) -> None:
    """A timer of 30 ms takes 30 ms at least."""
    start = time.monotonic()
    loop.call_later(0.03, loop.stop)

    loop.run()

    assert time.monotonic() - start >= 0.03


def test_a_cancelled_timer_does_not_run(loop: Loop) -> None:
    """What was called off does not happen; calling off twice or too late does no harm."""
    ran: list[str] = []
    late = loop.call_later(0, lambda: ran.append("ran"))
    timer = loop.call_later(0.001, lambda: ran.append("called off"))
    timer.cancel()
    timer.cancel()
    loop.call_later(0.01, loop.stop)

    loop.run()
    late.cancel()

    assert ran == ["ran"]


def test_cancelled_timers_do_not_pile_up(loop: Loop) -> None:
    """A board that sets and cancels a time-out for each command does not fill the memory."""

    def command(left: int) -> None:
        loop.call_later(3600, loop.stop).cancel()
        if left:
            loop.call_soon(lambda: command(left - 1))
        else:
            loop.stop()

    keep = loop.call_later(3600, loop.stop)
    command(1000)
    loop.run()

    assert len(loop._timers) < 200
    keep.cancel()


def test_calls_of_other_threads_run_on_the_loop_thread(loop: Loop) -> None:
    """A call or timer from a worker thread wakes a loop that waits for nothing."""
    threads: list[int] = []

    def work() -> None:
        loop.call_soon(lambda: threads.append(threading.get_ident()))
        loop.call_later(0.01, loop.stop)

    worker = threading.Thread(target=work)
    loop.call_soon(worker.start)
    loop.run()
    worker.join()

    assert threads == [threading.get_ident()]


def test_stop_wakes_a_waiting_loop(loop: Loop) -> None:
    """The loop ends though nothing else happens."""
    worker = threading.Thread(target=loop.stop)
    loop.call_soon(worker.start)

    loop.run()
    worker.join()


def test_an_unwatched_descriptor_is_not_told(loop: Loop) -> None:
    """A descriptor that a callback of the same round unwatched is not called back any more."""
    pipes = [os.pipe() for _ in range(2)]
    told: list[int] = []

    def on_ready(mine: int, others: int) -> None:
        told.append(mine)
        loop.unwatch(others)
        loop.unwatch(mine)
        loop.stop()

    for number in (0, 1):
        read, write = pipes[number]
        os.write(write, b"x")
        loop.watch(read, READABLE, lambda _events, n=number: on_ready(pipes[n][0], pipes[1 - n][0]))  # type: ignore[misc]  # mypy: lambda default
    loop.run()
    loop.unwatch(pipes[0][0])
    for read, write in pipes:
        os.close(read)
        os.close(write)

    assert len(told) == 1


def test_the_first_descriptor_is_handled_before_others(loop: Loop) -> None:
    """Opens of ports are known before what came through them."""
    pipes = [os.pipe() for _ in range(3)]
    told: list[int] = []

    def on_ready(number: int) -> None:
        told.append(number)
        loop.unwatch(pipes[number][0])
        if len(told) == 3:
            loop.stop()

    for number, (read, write) in enumerate(pipes):
        os.write(write, b"x")
        loop.watch(read, READABLE, lambda _events, n=number: on_ready(n), first=number == 2)  # type: ignore[misc]  # mypy: lambda default
    loop.run()
    for read, write in pipes:
        os.close(read)
        os.close(write)

    assert told[0] == 2
