"""One HTTP exchange of the agent, over a connection of its own, which can be broken off from any thread."""

from __future__ import annotations

import asyncio
import ssl
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_LARGEST_ANSWER = 256 * 1024


class ExchangeFailed(Exception):
    """There was no answer that could be used; the text says why."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the service answered.

    :ivar headers: names in lower case.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


class ServiceLink:
    """Makes exchanges with one service, one at a time, all from one thread.

    httpx reads nothing that could be interrupted from outside but by cancelling its task, so each link has a
    loop of its own, which runs only while an exchange does.
    """

    def __init__(self, url: str) -> None:
        """Know where the service is; nothing is opened before an exchange."""
        self._url = url.rstrip("/")
        self._lock = threading.Lock()
        self._runner: asyncio.Runner | None = None
        self._task: asyncio.Task[Answer] | None = None
        self._torn_down = False

    def exchange(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes | None,
        *,
        patience: float,
        answered: Callable[[], None],
    ) -> Answer:
        """Send a request and read the answer.

        :param patience: seconds for all of it.
        :param answered: called when the answer has begun to arrive, before its body is read.
        :raises ExchangeFailed: there was no answer, or not in time.
        """
        if self._runner is None:
            self._runner = asyncio.Runner()
        try:
            return self._runner.run(self._exchange(method, path, headers, body, patience, answered))
        except asyncio.CancelledError as error:
            raise ExchangeFailed("it was broken off") from error
        except TimeoutError as error:
            raise ExchangeFailed(f"no answer within {patience:g} s") from error
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise ExchangeFailed(_reason(error)) from error

    async def _exchange(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes | None,
        patience: float,
        answered: Callable[[], None],
    ) -> Answer:
        with self._lock:
            if self._torn_down:
                raise asyncio.CancelledError
            self._task = asyncio.current_task()
        try:
            async with (
                asyncio.timeout(patience),
                httpx.AsyncClient(verify=_trust(self._url), trust_env=False, timeout=patience) as client,
                client.stream(method, self._url + path, headers=dict(headers), content=body) as response,
            ):
                answered()
                content = bytearray()
                async for piece in response.aiter_bytes():
                    content += piece
                    if len(content) > _LARGEST_ANSWER:
                        raise ExchangeFailed("the answer is too long")
                return Answer(response.status_code, response.headers, bytes(content))
        finally:
            with self._lock:
                self._task = None

    def tear_down(self) -> None:
        """Break off what is under way, and refuse what comes later. From any thread."""
        with self._lock:
            self._torn_down = True
            if self._task is not None:
                self._task.get_loop().call_soon_threadsafe(self._task.cancel)

    def close(self) -> None:
        """Give the loop up. On the thread of the exchanges."""
        if self._runner is not None:
            self._runner.close()


def _trust(url: str) -> ssl.SSLContext | bool:
    # Loading all authorities takes longer than an exchange; without TLS nobody is verified.
    return True if url.lower().startswith("https:") else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
