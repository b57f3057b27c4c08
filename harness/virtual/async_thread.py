"""One asyncio loop on a thread of its own, for what boards of a bench do by asyncio.

The bench's own loop is a plain epoll loop on which boards live; libraries that need asyncio run here. All
boards of a bench share it: a thread and a loop for each of them would have them fight for the interpreter.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import TYPE_CHECKING, Any, TypeVar

import uvloop

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from concurrent.futures import Future

T = TypeVar("T")

_CLOSING_SECONDS = 5.0

_log = logging.getLogger(__name__)


class AsyncThread:
    """Runs coroutines; they must not block. From any thread, but never wait on the loop's own."""

    def __init__(self, name: str = "boards-asyncio") -> None:
        """Start nothing: loop and thread are made when somebody needs them."""
        self._name = name
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._closed = False

    @property
    def started(self) -> bool:
        """Whether anybody has needed it."""
        return self._thread is not None

    def start(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Begin a coroutine; those of one caller begin in the order of its calls.

        :return: what becomes of it; whoever does not wait for it looks at its failures in a callback.
        :raises RuntimeError: it is closed.
        """
        with self._lock:
            if self._closed:
                work.close()
                raise RuntimeError(f"{self._name} is closed")
            if self._loop is None:
                self._loop = uvloop.new_event_loop()
                self._thread = threading.Thread(target=_run, args=(self._loop,), name=self._name, daemon=True)
                self._thread.start()
            return asyncio.run_coroutine_threadsafe(work, self._loop)

    def close(self, seconds: float = _CLOSING_SECONDS) -> None:
        """Cancel what is still under way, and end the thread; idempotent.

        :param seconds: how long to wait for that; what does not end by then is told to the log and left to
            the end of the process.
        """
        with self._lock:
            self._closed = True
            thread, loop, self._loop = self._thread, self._loop, None
        if thread is None or loop is None:
            return
        loop.call_soon_threadsafe(loop.stop)
        thread.join(seconds)
        if thread.is_alive():
            _log.error("%s does not end within %g s: something blocks it", self._name, seconds)


def _run(loop: asyncio.AbstractEventLoop) -> None:
    """Be the thread."""
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        asyncio.set_event_loop(None)
        loop.close()
