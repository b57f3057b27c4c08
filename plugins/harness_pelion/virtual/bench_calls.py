"""Calls from the loop of the device's SSH server to the bench's loop thread, where the device lives."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from harness.virtual.power_points import PowerLost

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class PowerGone(Exception):
    """The device lost its power: whoever waited for it hears nothing more."""


class BenchCalls:
    """The calls of one period with power."""

    def __init__(self, call_soon: Callable[[Callable[[], None]], None]) -> None:
        """Call nothing yet.

        :param call_soon: calls something on the bench's loop thread; safe from any thread.
        """
        self._call_soon = call_soon
        self._lock = threading.Lock()
        self._waiting: set[asyncio.Future[Any]] = set()
        self._gone = False

    async def call(self, action: Callable[[], T]) -> T:
        """Do something on the bench's loop thread, and return what came of it.

        :param action: what it raises is raised here. It is not called when the power went before its turn.
        :raises PowerGone: the power went.
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        with self._lock:
            if self._gone:
                raise PowerGone
            self._waiting.add(future)

        def act() -> None:
            if self._gone:
                return
            try:
                result = action()
            except PowerLost:
                self.abandon()
            except Exception as error:  # noqa: BLE001 - raised again where the result is waited for
                _settle(future, partial(future.set_exception, error))
            else:
                _settle(future, partial(future.set_result, result))

        self._call_soon(act)
        try:
            return await future
        finally:
            with self._lock:
                self._waiting.discard(future)

    def abandon(self) -> None:
        """End every call, that under way and those to come: the power went. From any thread; idempotent."""
        with self._lock:
            self._gone = True
            waiting, self._waiting = self._waiting, set()
        for future in waiting:
            _settle(future, partial(future.set_exception, PowerGone()))


def _settle(future: asyncio.Future[Any], settle: Callable[[], None]) -> None:
    def act() -> None:
        if not future.done():
            settle()

    with suppress(RuntimeError):  # its loop has ended: nobody waits
        future.get_loop().call_soon_threadsafe(act)
