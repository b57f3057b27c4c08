"""The HTTP client of every backend: deadlines, bounded retries of safe calls, clear problems, a record.

One method is the edge to the world: :meth:`ServiceHttp.send`. It also speaks over a UNIX socket, which is
how a fake's control application is reached.
"""

from __future__ import annotations

import contextlib
import json as json_module
import socket as socket_module
import ssl
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx

from harness import __version__
from harness.backends.contract import Change, Exchange
from harness.backends.pacing import seconds_of
from harness.errors import BackendUnreachable, RequestRefused, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from harness.backends.pacing import RateLimit

USER_AGENT = f"provisioning-harness/{__version__}"
CONNECT_DEADLINE = 5.0
READ_DEADLINE = 30.0
ATTEMPTS = 4
FIRST_PAUSE = 0.1
"""Seconds before the second attempt; each further pause is twice as long."""

PATIENCE = 60.0
"""Seconds that a service may make one call wait altogether by saying that it is asked too much."""

_TOO_MANY = 429
_PASSING_TROUBLE = frozenset({502, 503, 504})
_READING = frozenset({"GET", "HEAD"})
_LONGEST_PROBLEM = 300
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """On what terms a service is asked that is not our own.

    :ivar ca_file: certificates (PEM) of the authorities to trust instead of the host's.
    :ivar rate: how fast requests may be made; ``None``: as fast as they come.
    :ivar patience: seconds to wait altogether, in one call, for a service that answers 429 or asks for a
        pause.
    :ivar hints: what to say besides of a refusal with a status.
    :ivar before_change: called before every request that may change something in the service; what it raises
        keeps the request from being sent.
    """

    ca_file: Path | None = None
    rate: RateLimit | None = None
    patience: float = 0.0
    hints: Mapping[int, str] = field(default_factory=dict)
    before_change: Callable[[Change], None] = field(default=lambda _change: None)


class ServiceHttp:
    """Talk to one service; usable as a context manager.

    Only GET is ever repeated after a connection that failed and after 502, 503 and 504. Everything else
    is sent once, since it may have taken effect although no answer came; what was refused with 429 had no
    effect, and a patient client sends it again, whatever it is.
    """

    def __init__(
        self,
        base_url: str,
        *,
        socket: str | None = None,
        headers: Mapping[str, str] | None = None,
        on_exchange: Callable[[Exchange], None] | None = None,
        connect_deadline: float = CONNECT_DEADLINE,
        read_deadline: float = READ_DEADLINE,
        terms: Terms | None = None,
    ) -> None:
        """Prepare a client; nothing is connected yet.

        :param base_url: what every path is appended to.
        :param socket: path of a UNIX socket to connect to instead of the host in ``base_url``.
        :param headers: sent with every request unless the request has its own.
        :param on_exchange: called after every exchange, also one without an answer.
        :param connect_deadline: seconds to get a connection.
        :param read_deadline: seconds to wait for a part of the answer, and to send a part of the request.
        :param terms: on what terms the service is asked; by default at once, and only once.
        :raises UsageError: the file of authorities holds no certificates.
        """
        self._terms = terms or Terms()
        deadlines = httpx.Timeout(read_deadline, connect=connect_deadline)
        on_this_host = socket is not None or urlsplit(base_url).hostname in _LOOPBACK
        self._client = httpx.Client(
            base_url=base_url,
            transport=_SocketTransport(socket) if socket else None,
            verify=_trust(base_url, self._terms.ca_file),
            timeout=deadlines,
            trust_env=not on_this_host,  # a proxy of the environment has no part in talks within this host
            headers={"User-Agent": USER_AGENT},
        )
        self._headers = dict(headers or {})
        self._where = socket or base_url
        self._on_exchange = on_exchange or (lambda _exchange: None)
        self._closed = threading.Event()

    @property
    def terms(self) -> Terms:
        """On what terms the service is asked."""
        return self._terms

    def with_headers(self, headers: Mapping[str, str]) -> ServiceHttp:
        """Return a client with other headers that shares the connections, and is closed with this one."""
        sibling = object.__new__(ServiceHttp)
        sibling.__dict__.update(self.__dict__, _headers=dict(headers))
        return sibling

    def __enter__(self) -> Self:
        """Return the client."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Close all connections and end a pause between attempts; idempotent."""
        self._closed.set()
        self._client.close()

    def request(
        self,
        method: str,
        path: str,
        *,
        operation: str,
        accept: Collection[int],
        **content: Any,
    ) -> httpx.Response:
        """Send a request whose answer must have one of some statuses.

        :param operation: the service's own name of the call, for messages and the report.
        :param accept: the statuses that mean success.
        :param content: as :meth:`send` takes it.
        :raises RequestRefused: another status.
        :raises BackendUnreachable: no answer.
        """
        response = self.send(method, path, operation=operation, **content)
        if response.status_code not in accept:
            raise self.refusal(operation, response)
        return response

    def refusal(self, operation: str, response: httpx.Response) -> RequestRefused:
        """Return the error that tells a refusal: what the service says of it, and what we know of it."""
        hint = self._terms.hints.get(response.status_code)
        text = problem_text(response)
        return RequestRefused(operation, response.status_code, f"{text} ({hint})" if hint else text)

    def send(
        self,
        method: str,
        path: str,
        *,
        operation: str = "",
        headers: Mapping[str, str] | None = None,
        harmless: bool = False,
        **content: Any,
    ) -> httpx.Response:
        """Send a request and return the answer, whatever its status.

        :param operation: the service's own name of the call; by default method and path.
        :param headers: override those of the client, name by name.
        :param harmless: it changes nothing in the service, although it is none that only reads.
        :param content: ``json``, ``content`` and ``params`` as httpx takes them.
        :raises BackendUnreachable: no answer within the deadlines, or no connection.
        """
        operation = operation or f"{method} {path}"
        own = httpx.Headers(self._headers)
        own.update(headers or {})
        # RFC 9110, section 5.5: blanks around a value are no part of it, and h11 refuses to send them.
        trimmed = [(name, value.strip()) for name, value in own.items()]
        request = self._client.build_request(method, path, headers=trimmed, **content)
        if not harmless and method not in _READING:
            self._terms.before_change(Change(operation=operation, method=method, url=str(request.url)))
        attempts = ATTEMPTS if method == "GET" else 1
        for attempt in range(1, attempts + 1):
            last = attempt == attempts
            cause: httpx.RequestError | None = None
            try:
                response = self._patiently(operation, request)
            except httpx.RequestError as error:
                cause = error
            else:
                if last or response.status_code not in _PASSING_TROUBLE:
                    return response
            late = isinstance(cause, httpx.TimeoutException) and not isinstance(cause, httpx.ConnectTimeout)
            # The pause lets a service recover; closing the client ends it at once.
            pause = FIRST_PAUSE * 2 ** (attempt - 1)
            if cause is None and self._terms.patience:
                wanted = seconds_of(response.headers.get("Retry-After")) or 0.0
                pause = max(pause, min(wanted, self._terms.patience))
            if last or late or self._closed.wait(pause):
                break
        times = f" after {attempt} attempts" if attempt > 1 else ""
        what = f"status {response.status_code}" if cause is None else _describe(cause)
        raise BackendUnreachable(f"{operation} got no answer from {self._where}{times}: {what}") from cause

    def _patiently(self, operation: str, request: httpx.Request) -> httpx.Response:
        """Send a request no faster than we may, and again when the service wants it later."""
        left, pause = self._terms.patience, FIRST_PAUSE
        while True:
            delay = self._terms.rate.reserve() if self._terms.rate is not None else 0.0
            if delay:
                self._closed.wait(delay)
            response = self._exchange(operation, request)
            if response.status_code != _TOO_MANY:
                return response
            wanted = seconds_of(response.headers.get("Retry-After"))
            pause = pause * 2 if wanted is None else max(wanted, FIRST_PAUSE)
            if pause > left or self._closed.wait(pause):
                return response
            left -= pause

    def _exchange(self, operation: str, request: httpx.Request) -> httpx.Response:
        started = time.monotonic()
        response: httpx.Response | None = None
        problem: str | None = None
        try:
            response = self._client.send(request)
        except httpx.RequestError as error:
            problem = _describe(error)
            raise
        finally:
            self._on_exchange(
                Exchange(
                    operation=operation,
                    method=request.method,
                    url=str(request.url),
                    request_headers=dict(request.headers.items()),
                    request_body=request.read(),
                    status=response.status_code if response is not None else None,
                    response_headers=dict(response.headers.items()) if response is not None else {},
                    response_body=response.content if response is not None else b"",
                    seconds=time.monotonic() - started,
                    problem=problem,
                )
            )
        return response


def _trust(base_url: str, ca_file: Path | None) -> ssl.SSLContext | bool:
    if urlsplit(base_url).scheme != "https":
        return _trust_nobody()
    if ca_file is None:
        return True
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise UsageError(
            "no certificates of authorities", file=ca_file, expected=f"PEM ({type(error).__name__})"
        ) from error


def _trust_nobody() -> ssl.SSLContext:
    """Return what a client without TLS needs of TLS: the default would read every root CA of the host."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class _SocketTransport(httpx.HTTPTransport):
    """HTTP over a UNIX socket that leaks nothing: httpcore forgets to close a socket that cannot connect."""

    def __init__(self, path: str) -> None:
        super().__init__(uds=path, verify=_trust_nobody())
        self._path = path

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        with contextlib.closing(socket_module.socket(socket_module.AF_UNIX)) as probe:
            try:
                probe.connect(self._path)
            except OSError as error:
                raise httpx.ConnectError(str(error), request=request) from error
        return super().handle_request(request)


def problem_text(response: httpx.Response) -> str:
    """Return what a service says of a refusal: its ``message``, or the start of the body."""
    try:
        message = json_module.loads(response.content)["message"]
    except (ValueError, KeyError, TypeError, RecursionError):
        message = None
    if isinstance(message, str) and message:
        return message
    text = response.text or "no body"
    # The dots also tell redaction that something was cut.
    return text if len(text) <= _LONGEST_PROBLEM else f"{text[:_LONGEST_PROBLEM]}..."


def _describe(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
