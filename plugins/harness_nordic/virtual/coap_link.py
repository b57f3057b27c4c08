"""A CoAP client as firmware has one: requests over one UDP socket, in blocks, repeated until answered.

RFC 7252, section 4 (messages) and RFC 7959 (blocks). There is no DTLS; see the reference page of the board.
"""

from __future__ import annotations

import os
import random
import secrets
import select
import socket
import threading
import time
from collections import deque
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from harness_nordic.virtual.coap_message import (
    EMPTY,
    LARGEST_MESSAGE,
    POST,
    Block,
    Message,
    NoMessage,
    Option,
    Type,
    decode,
    encode_number,
    exponent_of,
    texts,
)
from harness_nordic.virtual.datagram_faults import RECEIVED, SENT
from harness_nordic.virtual.exchange import Answer, ExchangeFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness_nordic.virtual.datagram_faults import DatagramFaults

MOST_RETRANSMISSIONS = 4
_RANDOM_FACTOR = 1.5
_CONTINUE = 231
_METHODS = {1: "GET", 2: "POST"}
_NUMBERS_KEPT = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked, before it is cut into blocks.

    :ivar path: segments joined by ``/``.
    :ivar query: ``key=value`` each.
    """

    code: int
    path: str
    query: Sequence[str] = ()
    payload: bytes = b""
    content_format: int | None = None
    accept: int | None = None

    @property
    def name(self) -> str:
        """Method and path."""
        return f"{_METHODS[self.code]} {self.path}"

    def options(self) -> list[tuple[int, bytes]]:
        """Return the options but those of blocks."""
        options = [
            *texts(Option.URI_PATH, self.path.split("/")),
            *texts(Option.URI_QUERY, self.query),
        ]
        if self.content_format is not None:
            options.append((Option.CONTENT_FORMAT, encode_number(self.content_format)))
        if self.accept is not None:
            options.append((Option.ACCEPT, encode_number(self.accept)))
        return options


@dataclass(slots=True)
class _Wait:
    """One datagram that waits for its answer.

    :ivar acknowledged: the answer is to come later; nothing is repeated any more.
    """

    request: Request
    message: Message
    patience: float
    repeated: int = 0
    acknowledged: bool = False
    next_at: float = field(default=0.0)


class CoapLink:
    """Makes requests of one service over one socket, and can be torn down meanwhile."""

    def __init__(
        self,
        url: str | None,
        *,
        rx_size: int,
        timeout: float,
        ack_timeout: float,
        block_size: int,
        faults: DatagramFaults,
        answered: Callable[[str], None],
        repeated: Callable[[str], None],
    ) -> None:
        """Know the service.

        :param url: its address; ``None`` when nobody gave one: then every request is refused.
        :param rx_size: size of the receive buffer, which a whole payload must fit.
        :param timeout: seconds for the answer to one datagram.
        :param ack_timeout: seconds until a datagram is repeated the first time.
        :param block_size: bytes of a block, 16 to 1024.
        :param faults: what befalls datagrams.
        :param answered: called with method and path when an answer is there, before it is looked at.
        :param repeated: called with method and path when a datagram is repeated.
        """
        self._url = urlsplit(url) if url else None
        self._rx_size = rx_size
        self._timeout = timeout
        self._ack_timeout = ack_timeout
        self._exponent = exponent_of(block_size)
        self._faults = faults
        self._answered = answered
        self._repeated = repeated
        self._number = secrets.randbelow(1 << 16)
        self._inbox: deque[Message] = deque()
        self._seen: deque[int] = deque(maxlen=_NUMBERS_KEPT)
        self._resources = ExitStack()
        self._lock = threading.Lock()
        self._torn_down = False
        self._socket: socket.socket | None = None
        self._alarm: int | None = None

    def open(self) -> None:
        """Take a port: the service knows a device by it.

        :raises ExchangeFailed: there is no address, or the link is torn down.
        """
        self.close()
        if self._url is None or self._url.hostname is None or self._url.port is None:
            raise ExchangeFailed("connection refused: no service address is set", refused=True)
        with self._lock:
            if self._torn_down:
                raise ExchangeFailed("torn down")
            self._alarm = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
            self._resources.callback(os.close, self._alarm)
            self._socket = self._resources.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        try:
            self._socket.setblocking(False)
            self._socket.connect((self._url.hostname, self._url.port))
        except OSError as error:
            self.close()
            raise ExchangeFailed(f"transport failed: {error!r}") from error

    def close(self) -> None:
        """Give the port back."""
        with self._lock:
            self._socket = self._alarm = None
            self._resources.close()
        self._inbox.clear()
        self._seen.clear()

    def tear_down(self) -> None:
        """Break off a request that is under way, and refuse later ones. From any thread."""
        with self._lock:
            self._torn_down = True
            if self._alarm is not None:
                os.eventfd_write(self._alarm, 1)

    def request(self, request: Request) -> Answer:
        """Ask, in blocks where there is much to say, and read the answer, in blocks where there is.

        :raises ExchangeFailed: there was no answer, or it does not fit.
        """
        message = self._send_blocks(request)
        self._answered(request.name)
        body = bytearray(message.payload)
        block = _block(message, Option.BLOCK2)
        while block is not None and block.more:
            if len(body) != (block.number + 1) * block.size:
                raise ExchangeFailed("the answer has a gap between two blocks", status=message.status)
            self._check_room(len(body), message.status)
            wanted = Block(block.number + 1, False, block.exponent)
            options = [*request.options(), (Option.BLOCK2, wanted.encode())]
            message = self._exchange(request, options, b"")
            block = _block(message, Option.BLOCK2)
            if block is None or block.number != wanted.number:
                raise ExchangeFailed("the service lost the rest of its answer", status=message.status)
            body += message.payload
        self._check_room(len(body), message.status)
        return Answer(message.status, bytes(body), len(body))

    def notify(self, request: Request) -> int | None:
        """Say something that need not arrive, and return the status of its answer if one comes soon.

        :raises ExchangeFailed: nobody listens.
        """
        message = self._message(Type.NON, request, request.options(), request.payload)
        wait = _Wait(request, message, self._ack_timeout, acknowledged=True)
        self._transmit(wait)
        try:
            return self._await(wait, time.monotonic() + self._ack_timeout).status
        except ExchangeFailed as error:
            if error.late:
                return None
            raise

    def _check_room(self, size: int, status: int) -> None:
        if size > self._rx_size:
            raise ExchangeFailed(
                f"RX buffer too small: the answer does not fit {self._rx_size} bytes", status=status
            )

    def _send_blocks(self, request: Request) -> Message:
        """Send the payload, and return the answer to its last block."""
        exponent, sent = self._exponent, 0
        while True:
            block = Block(0, False, exponent)
            last = sent + block.size >= len(request.payload)
            options = request.options()
            if sent or not last:
                block = Block(sent // block.size, not last, exponent)
                options.append((Option.BLOCK1, block.encode()))
            if last and request.code != POST:
                options.append((Option.BLOCK2, Block(0, False, self._exponent).encode()))
            message = self._exchange(request, options, request.payload[sent : sent + block.size])
            if last or message.status != _CONTINUE:
                return message
            sent += block.size
            agreed = _block(message, Option.BLOCK1)
            if agreed is not None:
                exponent = min(exponent, agreed.exponent)  # the service wants smaller ones from now on

    def _exchange(self, request: Request, options: list[tuple[int, bytes]], payload: bytes) -> Message:
        """Send one datagram until it is answered.

        :raises ExchangeFailed: it was not in time.
        """
        message = self._message(Type.CON, request, options, payload)
        wait = _Wait(request, message, self._ack_timeout * random.uniform(1, _RANDOM_FACTOR))  # noqa: S311 - as RFC 7252 has it
        self._transmit(wait)
        return self._await(wait, time.monotonic() + self._timeout)

    def _message(
        self, kind: Type, request: Request, options: list[tuple[int, bytes]], payload: bytes
    ) -> Message:
        self._number = (self._number + 1) & 0xFFFF
        return Message(
            type=kind,
            code=request.code,
            number=self._number,
            token=secrets.token_bytes(4),
            options=tuple(options),
            payload=payload,
        )

    def _transmit(self, wait: _Wait) -> None:
        wait.next_at = time.monotonic() + wait.patience
        self._send(wait.request, wait.message)

    def _await(self, wait: _Wait, deadline: float) -> Message:
        while True:
            while self._inbox:
                answer = self._judge(wait, self._inbox.popleft())
                if answer is not None:
                    return answer
            self._wait_for_something(wait, deadline)

    def _wait_for_something(self, wait: _Wait, deadline: float) -> None:
        """Wait until something comes, or is to be repeated.

        :raises ExchangeFailed: nothing came in time.
        """
        may_repeat = not wait.acknowledged and wait.repeated < MOST_RETRANSMISSIONS
        until = min(deadline, wait.next_at) if may_repeat else deadline
        if self._readable(max(0.0, until - time.monotonic())):
            self._receive(wait.request)
            return
        if time.monotonic() >= deadline:
            raise ExchangeFailed("timed out", late=True)
        if may_repeat and time.monotonic() >= wait.next_at:
            wait.repeated += 1
            wait.patience *= 2
            self._repeated(wait.request.name)
            self._transmit(wait)

    def _judge(self, wait: _Wait, message: Message) -> Message | None:
        """Return a message if it is the answer; whatever asks to be acknowledged is."""
        of_this = message.type in {Type.ACK, Type.RST} and message.number == wait.message.number
        if of_this and message.type is Type.RST:
            raise ExchangeFailed("the service rejected the request")
        if of_this and message.code == EMPTY:
            wait.acknowledged = True
            return None
        expected = message.token == wait.message.token and message.code >= 64  # noqa: PLR2004 - 2.00 and up
        if message.type is Type.CON:
            known = expected or message.number in self._seen
            self._seen.append(message.number)
            reply = Type.ACK if known else Type.RST
            self._send(wait.request, Message(type=reply, code=EMPTY, number=message.number))
        separate = message.type in {Type.CON, Type.NON}
        return message if expected and (of_this or separate) else None

    def _send(self, request: Request, message: Message) -> None:
        data = message.encode()
        for _copy in range(self._faults.copies(request.name, SENT)):
            try:
                self._open_socket().send(data)
            except ConnectionRefusedError as error:
                raise ExchangeFailed("connection refused", refused=True) from error
            except OSError as error:
                raise ExchangeFailed(f"transport failed: {error!r}") from error

    def _readable(self, seconds: float) -> bool:
        """Wait for a datagram, and tell whether one came.

        :raises ExchangeFailed: the link was torn down.
        """
        assert self._alarm is not None  # noqa: S101 - it is there as long as the socket is
        poll = select.poll()
        poll.register(self._open_socket().fileno(), select.POLLIN)
        poll.register(self._alarm, select.POLLIN)
        ready = [descriptor for descriptor, _event in poll.poll(seconds * 1000)]
        if self._alarm in ready:
            raise ExchangeFailed("torn down")
        return bool(ready)

    def _receive(self, request: Request) -> None:
        try:
            data = self._open_socket().recv(LARGEST_MESSAGE)
        except BlockingIOError:
            return  # its checksum was wrong: it is gone
        except ConnectionRefusedError as error:
            raise ExchangeFailed("connection refused", refused=True) from error
        except OSError as error:
            raise ExchangeFailed(f"transport failed: {error!r}") from error
        try:
            message = decode(data)
        except NoMessage:
            return
        self._inbox.extend([message] * self._faults.copies(request.name, RECEIVED))

    def _open_socket(self) -> socket.socket:
        if self._socket is None:
            raise ExchangeFailed("the link is not open")
        return self._socket


def _block(message: Message, option: Option) -> Block | None:
    try:
        return message.block(option)
    except NoMessage as error:
        raise ExchangeFailed(str(error), status=message.status) from error
