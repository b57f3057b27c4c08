"""Lines to the Vault: threads in which a blocking client asks, and how long a whole answer may take.

hvac blocks, and the time-out of its connections counts from one received byte to the next, so that an answer
that drips in may take for ever. Here a call begins as soon as it is handed to a thread, and what is not
answered whole when its time is over is cut off.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import socket
import threading
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import hvac
import requests
from hvac import exceptions as hvac_errors
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from harness_guardian.fake.vault_contract import VaultRefused, VaultTimeout
from harness_guardian.fake.vault_errors import (
    VaultIssuerUnknown,
    VaultNonsense,
    VaultNotFound,
    VaultUnreachable,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

T = TypeVar("T")

VaultClient: TypeAlias = Any
"""hvac's client, whose engines have no types."""

THREADS = 8
"""Calls at a time; others wait for their turn, which does not count against their time."""

_LONGEST_GOODBYE = 5.0
_STATUSES: dict[type[hvac_errors.VaultError], int] = {
    hvac_errors.InvalidRequest: 400,
    hvac_errors.Unauthorized: 401,
    hvac_errors.Forbidden: 403,
    hvac_errors.InvalidPath: 404,
    hvac_errors.RateLimitExceeded: 429,
    hvac_errors.InternalServerError: 500,
    hvac_errors.VaultNotInitialized: 501,
    hvac_errors.BadGateway: 502,
    hvac_errors.VaultDown: 503,
}
_UNKNOWN_ISSUER = "unable to find PKI issuer for reference"


class _Call:
    """One call on its way.

    :ivar answer: what came of it.
    :ivar cut_off: set when its time is over: from then on nobody waits for it.
    """

    def __init__(
        self, title: str, ask: Callable[[VaultClient], Any], seconds: float, headers: Mapping[str, str]
    ) -> None:
        self.title = title
        self.ask = ask
        self.seconds = seconds
        self.headers = headers
        self.answer: Future[Any] = Future()
        self.cut_off = threading.Event()
        self.line: _Line | None = None

    def cut(self) -> None:
        """End it: whatever it waits for on its connection ends at once."""
        self.cut_off.set()
        line = self.line
        if line is not None and line.call is self:  # else the line is another call's by now
            line.hang_up()


class _LineSession(requests.Session):
    """The HTTP session of one thread: the running call's time and headers hold for each of its requests."""

    def __init__(self, line: _Line) -> None:
        super().__init__()
        self.trust_env = False  # a proxy or password of the environment is not meant for this
        self._line = line
        for scheme in ("http://", "https://"):
            self.mount(scheme, _LineAdapter(line))

    def request(self, method: str, url: str, **kwargs: Any) -> requests.Response:  # type: ignore[override]  # hvac names all by keyword
        """Ask within the running call's time."""
        call = self._line.call
        assert call is not None  # noqa: S101 - only the line's own thread asks, and only during a call
        headers = {**(kwargs.pop("headers", None) or {}), **call.headers}
        return super().request(method, url, **{**kwargs, "headers": headers, "timeout": call.seconds})


class _LineAdapter(HTTPAdapter):
    """Opens connections that tell their line; nothing is tried twice."""

    def __init__(self, line: _Line) -> None:
        self._line = line
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Let the pools make connections that tell the line."""
        super().init_poolmanager(*args, **kwargs)
        line = self._line

        class Plain(HTTPConnection):
            def connect(self) -> None:
                super().connect()
                line.connected(self)

        class Secure(HTTPSConnection):
            def connect(self) -> None:
                super().connect()
                line.connected(self)

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = Plain

        class SecurePool(HTTPSConnectionPool):
            ConnectionCls = Secure

        self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}


class _Line:
    """One thread with one client and at most one connection.

    :ivar call: the one that it is busy with.
    """

    def __init__(self, calls: queue.SimpleQueue[_Call | None], make: Callable[[_Line], hvac.Client]) -> None:
        self.call: _Call | None = None
        self._calls = calls
        self._make = make
        self._connection: HTTPConnection | None = None
        self.thread = threading.Thread(target=self._run, name="vault line", daemon=True)
        self.thread.start()

    def connected(self, connection: HTTPConnection) -> None:
        """Know the connection, so that it can be ended; end it at once when nobody waits any more."""
        self._connection = connection
        if self.call is not None and self.call.cut_off.is_set():
            self.hang_up()

    def hang_up(self) -> None:
        """End the connection under whoever reads from it."""
        sock = getattr(self._connection, "sock", None)
        if sock is not None:
            with contextlib.suppress(OSError):  # it has just ended by itself
                socket.socket.shutdown(sock, socket.SHUT_RDWR)  # also of a TLS socket: no goodbye is said

    def _run(self) -> None:
        client: hvac.Client | None = None
        while (call := self._calls.get()) is not None:
            self.call, call.line = call, self
            try:
                client = client or self._make(self)
                answer = _asked(call, client)
            except BaseException as error:  # noqa: BLE001 - it is the caller's, whatever it is
                self.call = None
                call.answer.set_exception(error)
            else:
                self.call = None
                call.answer.set_result(answer)
        if client is not None:
            client.adapter.close()


class VaultLines:
    """Asks the Vault from an event loop; made lazily, closed by whoever owns it."""

    def __init__(
        self, address: Callable[[], str], token: str, *, ca_file: str | None = None, threads: int = THREADS
    ) -> None:
        """Ask a Vault.

        :param address: returns its URL; asked when the first call is made.
        :param token: sent with each call.
        :param ca_file: authorities to trust instead of the common ones.
        """
        self._address = address
        self._token = token
        self._ca_file = ca_file
        self._calls: queue.SimpleQueue[_Call | None] = queue.SimpleQueue()
        self._lines: list[_Line] = []
        self._under_way: set[_Call] = set()
        self._threads = threads
        self._closed = False
        self._free = asyncio.Semaphore(threads)

    async def ask(
        self,
        title: str,
        ask: Callable[[VaultClient], T],
        *,
        seconds: float,
        headers: Mapping[str, str] | None = None,
    ) -> T:
        """Let a thread ask, and return its answer.

        :param title: what is asked, for messages.
        :param ask: makes one request through the client; called in the thread.
        :param seconds: until the answer must be there, whole.
        :param headers: sent besides the client's own.
        :raises VaultTimeout: it was not there, whole.
        :raises VaultRefused: the Vault answered something else, or nothing; see its kinds.
        """
        await self._free.acquire()
        if self._closed:
            self._free.release()
            raise VaultUnreachable(f"{title}: the service is ending")
        call = _Call(title, ask, seconds, headers or {})
        answer = asyncio.wrap_future(call.answer)
        self._under_way.add(call)
        answer.add_done_callback(lambda done: self._ended(call, done))
        if len(self._lines) < min(self._threads, len(self._under_way)):
            self._lines.append(_Line(self._calls, self._client))
        self._calls.put(call)
        try:
            await _wait_in_time(answer, call)
        except BaseException:
            call.cut()
            raise
        result: T = answer.result()
        return result

    def close(self) -> None:
        """Cut off what is under way, and end the threads."""
        self._closed = True
        for _line in self._lines:
            self._calls.put(None)
        for call in list(self._under_way):
            call.cut()
        deadline = time.monotonic() + _LONGEST_GOODBYE
        for line in self._lines:
            line.thread.join(max(0.0, deadline - time.monotonic()))
        self._lines.clear()

    def _ended(self, call: _Call, answer: asyncio.Future[Any]) -> None:
        self._under_way.discard(call)
        self._free.release()
        if not answer.cancelled():
            answer.exception()  # looked at: nobody may be waiting for it any more

    def _client(self, line: _Line) -> hvac.Client:
        session = _LineSession(line)
        if self._ca_file is not None:
            session.verify = self._ca_file
        return hvac.Client(
            url=self._address(),
            token=self._token,
            verify=self._ca_file or True,
            session=session,
            allow_redirects=False,  # the token would go along
        )


async def _wait_in_time(answer: asyncio.Future[Any], call: _Call) -> None:
    """Wait until an answer is there, whole.

    :raises VaultTimeout: its time is over.
    """
    done, _waiting = await asyncio.wait({answer}, timeout=call.seconds)
    if not done:
        raise VaultTimeout(f"{call.title}: no complete answer within {call.seconds:g} s")


def _asked(call: _Call, client: VaultClient) -> Any:
    """Make a call, and say in our own words what went wrong."""
    begun = time.monotonic()
    try:
        return call.ask(client)
    except hvac_errors.VaultError as error:
        raise _refusal(call.title, error) from None  # the library's own has the answer and all headers
    except requests.RequestException as error:
        over = isinstance(error, requests.Timeout) or time.monotonic() - begun >= call.seconds
        if over or call.cut_off.is_set():
            raise VaultTimeout(f"{call.title}: no complete answer within {call.seconds:g} s") from error
        raise VaultUnreachable(f"{call.title}: {type(error).__name__}") from error
    except (TypeError, KeyError, ValueError, AttributeError, IndexError) as error:
        raise VaultNonsense(f"{call.title}: the answer is none that this call has") from error


def _refusal(title: str, error: hvac_errors.VaultError) -> VaultRefused:
    errors = [str(text) for text in error.errors] if isinstance(error.errors, list) else []
    status = _STATUSES.get(type(error), 0)
    told = f"{title}: status {status or 'unknown'}" + (f": {'; '.join(errors)}" if errors else "")
    kind: type[VaultRefused] = VaultRefused
    if any(_UNKNOWN_ISSUER in text for text in errors):
        kind = VaultIssuerUnknown
    elif isinstance(error, hvac_errors.InvalidPath):
        kind = VaultNotFound
    return kind(status, told)
