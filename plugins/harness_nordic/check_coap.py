"""Asking the CoAP variant of the device protocol: one socket, requests that fit a datagram, no DTLS.

Nrfcloud fact sheet, section 3.3; messages: RFC 7252, section 4.
"""

from __future__ import annotations

import secrets
import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aiocoap import Message, error  # type: ignore[import-untyped] # has no types
from aiocoap.numbers import codes, types  # type: ignore[import-untyped] # as above

from harness.errors import BackendUnreachable

if TYPE_CHECKING:
    from typing import Any, Self

DEADLINE = 10.0
"""Seconds for an answer."""
CBOR = 60

_FIRST_PATIENCE = 1.0
_LARGEST_DATAGRAM = 65_536
_FIRST_ANSWER = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class CoapAnswer:
    """What the service said.

    :ivar status: the code as it is written: 401 for 4.01.
    :ivar max_age: seconds; ``None`` where it says none.
    """

    status: int
    max_age: int | None
    payload: bytes


class CoapAsker:
    """A device's socket: the service knows a device by its address and port. A context manager."""

    def __init__(self, address: str) -> None:
        """Take a port.

        :param address: for example ``coap://127.0.0.1:5683``.
        """
        parts = urlsplit(address)
        self._address = address
        self._number = secrets.randbelow(1 << 16)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.connect((parts.hostname or "", parts.port or 5683))
        except OSError as wrong:
            self._socket.close()
            raise BackendUnreachable(f"{address}: {wrong}") from wrong

    def __enter__(self) -> Self:
        """Return it."""
        return self

    def __exit__(self, *_exception: object) -> None:
        """Give the port back."""
        self._socket.close()

    def ask(
        self,
        method: str,
        path: str,
        *,
        payload: bytes = b"",
        query: tuple[str, ...] = (),
        content_format: int | None = None,
    ) -> CoapAnswer:
        """Ask, again where nothing comes, and return the answer.

        :raises BackendUnreachable: there was none in time.
        """
        self._number = (self._number + 1) & 0xFFFF
        token = secrets.token_bytes(4)
        request = _message(types.CON, getattr(codes, method), self._number)
        request.token, request.payload = token, payload
        request.opt.uri_path = path.split("/")
        request.opt.uri_query = query
        if content_format is not None:
            request.opt.content_format = content_format
        answer = self._exchange(request)
        return CoapAnswer(
            status=(int(answer.code) >> 5) * 100 + (int(answer.code) & 31),
            max_age=answer.opt.max_age,
            payload=bytes(answer.payload),
        )

    def _exchange(self, request: Any) -> Any:
        deadline, patience, heard = time.monotonic() + DEADLINE, _FIRST_PATIENCE, False
        try:
            self._socket.send(request.encode())
            again = time.monotonic() + patience
            while (now := time.monotonic()) < deadline:
                self._socket.settimeout(max(0.001, (deadline if heard else min(again, deadline)) - now))
                try:
                    message = Message.decode(self._socket.recv(_LARGEST_DATAGRAM))
                except TimeoutError:
                    if not heard and time.monotonic() < deadline:
                        patience *= 2
                        again = time.monotonic() + patience
                        self._socket.send(request.encode())
                    continue
                except (error.UnparsableMessage, UnicodeDecodeError, ValueError):
                    continue
                if message.mtype is types.RST and message.mid == request.mid:
                    raise BackendUnreachable(f"{self._address} rejected the request")
                heard = heard or (message.mtype is types.ACK and message.mid == request.mid)
                if message.token == request.token and int(message.code) >= _FIRST_ANSWER:
                    if message.mtype is types.CON:  # the answer came by itself: say that it is here
                        self._socket.send(_message(types.ACK, codes.EMPTY, message.mid).encode())
                    return message
        except OSError as wrong:
            raise BackendUnreachable(f"{self._address}: {wrong}") from wrong
        raise BackendUnreachable(f"{self._address} did not answer in {DEADLINE:g} s")


def _message(kind: Any, code: Any, number: int) -> Any:
    message = Message(code=code)
    message.mtype, message.mid = kind, number
    return message
