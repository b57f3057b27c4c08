"""Where each test is: queued, held by a worker, or finished. It is always in one of these."""

from __future__ import annotations

_QUEUED, _HELD, _FINISHED = range(3)


class Records:
    """The account of all tests.

    :ivar unfinished: how many are queued or held.
    """

    def __init__(self, number: int) -> None:
        """Know of tests that are all queued.

        :param number: how many there are.
        """
        self._states = bytearray(number)
        self.unfinished = number

    def _all(self, state: int) -> frozenset[int]:
        return frozenset(index for index, one in enumerate(self._states) if one == state)

    @property
    def queued(self) -> frozenset[int]:
        """The tests that no worker holds and that did not run."""
        return self._all(_QUEUED)

    @property
    def finished(self) -> frozenset[int]:
        """The tests that are over."""
        return self._all(_FINISHED)

    def is_held(self, index: int) -> bool:
        """Tell whether a worker holds a test."""
        return self._states[index] == _HELD

    def is_finished(self, index: int) -> bool:
        """Tell whether a test is over."""
        return self._states[index] == _FINISHED

    def queue(self, index: int) -> None:
        """A test goes back to those that nobody holds."""
        self.unfinished += self._states[index] == _FINISHED
        self._states[index] = _QUEUED

    def hold(self, index: int) -> None:
        """A worker is sent a test."""
        self._states[index] = _HELD

    def finish(self, index: int) -> None:
        """A test is over."""
        self.unfinished -= self._states[index] != _FINISHED
        self._states[index] = _FINISHED
