"""The one asyncio loop of a bench's boards: made when it is needed, ended in its time."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest

from harness.virtual.async_thread import AsyncThread

if TYPE_CHECKING:
    from collections.abc import Iterator

DEADLINE = 10.0


@pytest.fixture
def thread() -> Iterator[AsyncThread]:
    """One that nobody has used."""
    found = AsyncThread("test-asyncio")
    yield found
    found.close()


def test_results_and_failures(thread: AsyncThread) -> None:
    """What a coroutine returns or raises is its caller's; all run on one thread."""

    async def where() -> str:
        return threading.current_thread().name

    async def fail() -> None:
        raise ZeroDivisionError

    assert thread.start(where()).result(DEADLINE) == "test-asyncio"
    with pytest.raises(ZeroDivisionError):
        thread.start(fail()).result(DEADLINE)
    assert thread.start(where()).result(DEADLINE) == "test-asyncio"


def test_order(thread: AsyncThread) -> None:
    """Coroutines of one caller begin in the order of its calls."""
    begun: list[int] = []

    async def begin(number: int) -> None:
        begun.append(number)

    for each in [thread.start(begin(number)) for number in range(100)]:
        each.result(DEADLINE)
    assert begun == list(range(100))


def test_nobody_needs_it() -> None:
    """A bench whose boards need no asyncio has no such thread, and can end it all the same."""
    before = set(threading.enumerate())
    thread = AsyncThread()
    thread.close()
    assert set(threading.enumerate()) <= before  # what others left may end meanwhile


def test_closing(thread: AsyncThread) -> None:
    """What is under way is cancelled, the thread ends, and nothing begins any more."""
    begun = threading.Event()
    cancelled: list[bool] = []

    async def stay() -> None:
        begun.set()
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    async def come_late() -> None:
        cancelled.append(False)

    staying = thread.start(stay())
    assert begun.wait(DEADLINE)
    thread.close()
    assert staying.cancelled()
    assert "test-asyncio" not in {each.name for each in threading.enumerate()}
    with pytest.raises(RuntimeError, match="test-asyncio is closed"):
        thread.start(come_late())
    thread.close()
    assert cancelled == [True]


def test_deadline_of_closing(thread: AsyncThread, caplog: pytest.LogCaptureFixture) -> None:
    """Who blocks the loop, against the contract, does not hold up the end; the log says so."""
    blocked, end_of_it = threading.Event(), threading.Event()

    async def block() -> None:
        blocked.set()
        end_of_it.wait(DEADLINE)

    blocking = thread.start(block())
    assert blocked.wait(DEADLINE)
    try:
        thread.close(0.05)
        assert "test-asyncio does not end within 0.05 s: something blocks it" in caplog.text
    finally:
        end_of_it.set()
    blocking.result(DEADLINE)
