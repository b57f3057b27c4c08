"""Calls from a thread of a virtual board to the bench's loop thread, where its parts are and its power goes.

A board whose firmware waits for others, for example for a service, runs that on a thread of its own. What it
touches of the board it touches on the loop's thread; when the power goes, every call ends at once.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Protocol, TypeVar

from harness.virtual.power_points import PowerLost

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.virtual.power_points import PowerPoints

T = TypeVar("T")


class Abandoned(Exception):
    """The board lost its power: whatever its thread did is over, without a word."""


class Loop(Protocol):
    """What is needed of the bench's loop; a :class:`~harness.virtual.contract.BoardHost` has it."""

    def call_soon(self, callback: Callable[[], None]) -> None:
        """Call something on the loop's thread; may be called from any thread."""


class LoopCalls:
    """The calls of one run of a board's thread.

    :ivar changed: notified when something changed that :meth:`wait` may wait for; whoever changes such a
        thing on another thread holds and notifies it.
    """

    def __init__(self, loop: Loop, changed: threading.Condition | None = None) -> None:
        """Call nothing yet.

        :param loop: where calls are made.
        :param changed: a condition that others notify too; default: one of its own.
        """
        self.changed = threading.Condition() if changed is None else changed
        self._loop = loop
        self._abandoned = False

    @property
    def abandoned(self) -> bool:
        """Whether the board lost its power."""
        return self._abandoned

    def abandon(self) -> None:
        """End every call, that under way and those to come: the power went. From any thread; idempotent."""
        with self.changed:
            self._abandoned = True
            self.changed.notify_all()

    def check(self) -> None:
        """See whether the board has its power.

        :raises Abandoned: it has not.
        """
        if self._abandoned:
            raise Abandoned

    def call(self, action: Callable[[], T]) -> T:
        """Do something on the loop's thread, and return what came of it. Not from the loop's thread itself.

        :param action: what it raises is raised here; :class:`~harness.virtual.power_points.PowerLost` ends
            the run. It is not called when the power went before its turn came.
        :raises Abandoned: the power went.
        """
        done = False
        results: list[T] = []
        errors: list[Exception] = []

        def act() -> None:
            nonlocal done
            try:
                if not self._abandoned:
                    results.append(action())
            except PowerLost:
                self.abandon()
            except Exception as error:  # noqa: BLE001 - raised again where the result is waited for
                errors.append(error)
            with self.changed:
                done = True
                self.changed.notify_all()

        self._loop.call_soon(act)
        with self.changed:
            self.changed.wait_for(lambda: done or self._abandoned)
        self.check()
        if errors:
            raise errors[0]
        return results[0]

    def pass_by(self, points: PowerPoints, point: str, detail: str) -> None:
        """Pass a point at which the power may go; the loop is bothered only while a cut waits.

        :param points: of the board.
        :raises Abandoned: it went.
        """
        if points.armed:
            self.call(lambda: points.pass_by(point, detail))
        else:
            points.note(point, detail)

    def wait(self, fulfilled: Callable[[], bool], seconds: float) -> bool:
        """Wait until something is so, and tell whether it is.

        :param fulfilled: asked anew whenever :attr:`changed` is notified.
        :param seconds: how long at most.
        :raises Abandoned: the power went.
        """
        with self.changed:
            self.changed.wait_for(lambda: self._abandoned or fulfilled(), seconds)
        self.check()
        return fulfilled()
