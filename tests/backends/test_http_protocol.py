"""What fakes speak: whole answers in one piece."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.backends.http_protocol import WholeAnswers

if TYPE_CHECKING:
    from collections.abc import Callable


class Transport:
    """Keeps what is done with it."""

    def __init__(self) -> None:
        self.done: list[Any] = []

    def write(self, data: bytes) -> None:
        """Keep a piece."""
        self.done.append(data)

    def close(self) -> None:
        """Keep the end."""
        self.done.append("closed")

    def is_closing(self) -> bool:
        """Tell whether it was closed."""
        return "closed" in self.done


class Round:
    """A loop that runs its calls when it is told to."""

    def __init__(self) -> None:
        self._calls: list[Callable[[], None]] = []

    def call_soon(self, call: Callable[[], None]) -> None:
        """Keep a call for the next round."""
        self._calls.append(call)

    def run(self) -> int:
        """Run a round; return how many calls there were."""
        calls, self._calls = self._calls, []
        for call in calls:
            call()
        return len(calls)


@pytest.fixture
def transport() -> Transport:
    """What is written to in the end."""
    return Transport()


@pytest.fixture
def loop() -> Round:
    """The loop."""
    return Round()


@pytest.fixture
def whole(transport: Transport, loop: Round) -> WholeAnswers:
    """What joins."""
    double: Any = transport
    return WholeAnswers(double, loop.call_soon)


def test_head_and_body_are_one_piece(whole: WholeAnswers, transport: Transport, loop: Round) -> None:
    """What one round writes leaves once, in order; the next round begins anew."""
    whole.write(b"head")
    whole.write(b"body")
    assert transport.done == []

    assert loop.run() == 1
    whole.write(b"more")
    assert loop.run() == 1

    assert transport.done == [b"headbody", b"more"]


def test_nothing_is_lost_at_the_end(whole: WholeAnswers, transport: Transport, loop: Round) -> None:
    """Closing sends what waits first, and the round that comes then sends nothing."""
    whole.write(b"last words")
    assert not whole.is_closing()
    whole.close()
    loop.run()

    assert transport.done == [b"last words", "closed"]
    assert whole.is_closing()


def test_hanging_up_says_nothing(whole: WholeAnswers, transport: Transport) -> None:
    """A connection that is closed without an answer gets not a byte."""
    whole.close()

    assert transport.done == ["closed"]
