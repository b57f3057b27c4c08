"""One HTTP exchange as sdk-nrf's REST client does it (nrfcloud fact sheet, section 3.2)."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, BinaryIO, cast
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class ExchangeFailed(Exception):
    """There was no usable answer.

    :ivar refused: nobody listens there, or not who was expected; the library takes both for a wrong root CA.
    :ivar status: the status that was read before things went wrong.
    :ivar late: nothing came in time.
    """

    def __init__(
        self, reason: str, *, refused: bool = False, status: int | None = None, late: bool = False
    ) -> None:
        """Keep the reason."""
        self.late = late
        self.refused = refused
        self.status = status
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: status, body, and the bytes of both with the headers."""

    status: int
    body: bytes
    size: int


class _BufferFull(Exception):
    """Status line, headers and body do not fit the receive buffer."""


class _Counted:
    """The receive buffer: counts what is taken from the socket, and takes no more than it holds."""

    def __init__(self, stream: BinaryIO, capacity: int, begun: Callable[[], None]) -> None:
        self._stream = stream
        self._capacity = capacity
        self._begun = begun
        self.count = 0

    def readline(self, limit: int = -1) -> bytes:
        room = self._capacity - self.count
        return self._keep(self._stream.readline(room if limit < 0 else min(limit, room)))

    def read(self, size: int = -1) -> bytes:
        room = self._capacity - self.count
        return self._keep(self._stream.read(room if size < 0 else min(size, room)))

    def flush(self) -> None:
        self._stream.flush()

    def close(self) -> None:
        self._stream.close()

    def _keep(self, data: bytes) -> bytes:
        if self.count == 0 < len(data):
            self._begun()
        self.count += len(data)
        if self.count >= self._capacity:
            raise _BufferFull
        return data


class ServiceLink:
    """Makes exchanges with one service, each over a connection of its own, and can be torn down meanwhile."""

    def __init__(
        self,
        url: str | None,
        *,
        rx_size: int,
        timeout: float,
        trusted: Callable[[], str],
        answered: Callable[[str], None],
    ) -> None:
        """Know the service.

        :param url: its address, or ``None`` when nobody gave one: then every connection is refused.
        :param rx_size: size of the receive buffer; a whole answer must be smaller.
        :param timeout: seconds for connecting and for each wait on the socket.
        :param trusted: gives the certificates (PEM) of whom the board trusts; asked for each TLS connection.
        :param answered: called with method and target when an answer begins to arrive, before it is read.
        """
        self._trusted = trusted
        self._answered = answered
        self._url = urlsplit(url) if url else None
        self._rx_size = rx_size
        self._timeout = timeout
        self._lock = threading.Lock()
        self._connection: http.client.HTTPConnection | None = None
        self._torn_down = False

    def exchange(
        self, method: str, target: str, headers: Sequence[tuple[str, str]], body: bytes | None = None
    ) -> Answer:
        """Send a request and read the answer.

        :raises ExchangeFailed: there was none, or it does not fit.
        """
        if self._url is None or self._url.hostname is None:
            raise ExchangeFailed("connection refused: no service address is set", refused=True)
        connection = http.client.HTTPConnection(self._url.hostname, self._url.port, timeout=self._timeout)
        try:
            self._connect(connection, self._url.hostname, secure=self._url.scheme == "https")
            connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            connection.putheader("Host", self._url.netloc)
            for name, value in headers:
                connection.putheader(name, value)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            return self._read(connection, partial(self._answered, f"{method} {target}"))
        except ConnectionRefusedError as error:
            raise ExchangeFailed("connection refused", refused=True) from error
        except TimeoutError as error:
            raise ExchangeFailed("timed out", late=True) from error
        except (OSError, http.client.HTTPException) as error:
            raise ExchangeFailed(f"transport failed: {error!r}") from error
        finally:
            with self._lock:
                self._connection = None
            connection.close()

    def tear_down(self) -> None:
        """Break off an exchange that is under way, and refuse later ones. From any thread."""
        with self._lock:
            self._torn_down = True
            if self._connection is not None and self._connection.sock is not None:
                _shut_down(self._connection.sock)

    def _connect(self, connection: http.client.HTTPConnection, host: str, *, secure: bool) -> None:
        connection.connect()
        with self._lock:
            if self._torn_down:
                raise ExchangeFailed("torn down")
            self._connection = connection
        if secure:
            # The handshake comes when the connection can be torn down already.
            connection.sock = self._handshake(connection.sock, host)

    def _handshake(self, sock: socket.socket, host: str) -> ssl.SSLSocket:
        """Verify the server with the certificates that the board trusts, by its name too.

        :raises ExchangeFailed: it is not who it should be.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        trusted = self._trusted()
        try:
            if trusted:
                context.load_verify_locations(cadata=trusted)
            return context.wrap_socket(sock, server_hostname=host)
        except (ssl.SSLEOFError, ssl.SSLSyscallError, ssl.SSLZeroReturnError) as error:
            # Whoever hangs up says nothing of the certificate.
            raise ExchangeFailed("the server ended the TLS handshake") from error
        except ssl.SSLError as error:
            raise ExchangeFailed(f"TLS refused: {error.reason or error}", refused=True) from error

    def _read(self, connection: http.client.HTTPConnection, begun: Callable[[], None]) -> Answer:
        buffer: _Counted | None = None
        status: int | None = None

        def respond(
            sock: socket.socket, *, debuglevel: int = 0, method: str | None = None
        ) -> http.client.HTTPResponse:
            nonlocal buffer
            response = http.client.HTTPResponse(sock, debuglevel, method)
            buffer = _Counted(cast("BinaryIO", response.fp), self._rx_size, begun)
            response.fp = buffer  # type: ignore[assignment] # it needs readline, read, flush and close only
            return response

        try:
            connection.response_class = respond  # type: ignore[assignment] # called like the class
            with connection.getresponse() as response:
                status = response.status
                if response.getheader("Transfer-Encoding") is not None:
                    # The library takes the body as one piece of its buffer (fact sheet, section 3.2).
                    raise ExchangeFailed("the answer is chunked", status=status)
                body = response.read()
        except _BufferFull as error:
            raise ExchangeFailed(
                f"RX buffer too small: the answer does not fit {self._rx_size} bytes", status=status
            ) from error
        return Answer(status, body, buffer.count if buffer is not None else len(body))


def _shut_down(sock: socket.socket) -> None:
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # already gone
