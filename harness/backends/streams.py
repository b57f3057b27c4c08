"""A part of a fake that speaks a protocol of its own over TCP: a task serves each of its connections."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    import socket
    from types import TracebackType

    from harness.backends.contract import StreamDoor

#: Seconds that the other end may take to say goodbye when a connection is closed.
LONGEST_CLOSING = 1.0
#: Seconds that a door may take to end its connections when the fake ends.
LONGEST_END = 2.0

_LOG = logging.getLogger(__name__)
_WENT_AWAY = (ConnectionError, asyncio.IncompleteReadError)


class StreamListener:
    """Serves the connections of one door; leaving it ends them all."""

    def __init__(self, door: StreamDoor, name: str, listener: socket.socket) -> None:
        """Serve nothing yet.

        :param door: serves each connection.
        :param name: what the door is called in the log.
        :param listener: a socket that listens; whoever opened it closes it.
        """
        self._door = door
        self._name = name
        self._listener = listener
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        """Take connections from now on."""
        self._server = await asyncio.start_server(self._take, sock=self._listener)
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _where: TracebackType | None,
    ) -> None:
        """Take no more connections, and end those that are there."""
        if self._server is not None:
            self._server.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            _ended, stubborn = await asyncio.wait(tasks, timeout=LONGEST_END)
            if stubborn:
                _LOG.error("%s: %d of its connections do not end", self._name, len(stubborn))

    def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer), name=f"stream {self._name}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._door.handle(reader, writer)
        except _WENT_AWAY:
            pass
        except Exception:  # noqa: BLE001 - whatever a door does wrong ends one connection, and no fake
            _LOG.exception("%s: a connection was not served to its end", self._name)
        finally:
            await _close(writer)


async def _close(writer: asyncio.StreamWriter) -> None:
    """Close a connection as its protocol does, and then in any case."""
    try:
        writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            await asyncio.wait_for(writer.wait_closed(), LONGEST_CLOSING)
    finally:
        writer.transport.abort()
