"""HTTP as fakes speak it: an answer leaves in one piece, and a connection may be closed without one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    from collections.abc import Callable

#: Extension of the ASGI scope that closes the connection: a fake may order its service to say nothing.
HANG_UP = "harness.hang_up"


#: A verb of Vault's API that the parser does not know, and the one of the same length that stands in for it.
#: Nobody speaks the other one any more (RFC 2068, section 19.6.1.2).
_LIST, _STAND_IN = b"LIST", b"LINK"


class WholeAnswers:
    """A transport that sends at once what is written in one round of the loop.

    uvicorn writes the head of an answer and then its body, each by a system call that wakes the client: with
    them joined a fake answers a fifth more requests.
    """

    def __init__(
        self, transport: asyncio.Transport, call_soon: Callable[[Callable[[], None]], object]
    ) -> None:
        """Write to a transport.

        :param call_soon: calls a function in the next round of the loop.
        """
        self._transport = transport
        self._call_soon = call_soon
        self._waiting: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Send with everything else that is written in this round."""
        if not self._waiting:
            self._call_soon(self._send)
        self._waiting.append(data)

    def close(self) -> None:
        """Send what waits, and close."""
        self._send()
        self._transport.close()

    def _send(self) -> None:
        waiting, self._waiting = self._waiting, []
        if waiting:
            self._transport.write(b"".join(waiting))

    def __getattr__(self, name: str) -> Any:
        """Leave everything else to the transport."""
        return getattr(self._transport, name)


class FakeHttpProtocol(HttpToolsProtocol):
    """What a fake's listeners speak: HTTP with the verb ``LIST``, which clients of Vault send."""

    _in_a_message = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn's own
        """Join what is written."""
        whole = WholeAnswers(transport, asyncio.get_running_loop().call_soon)
        super().connection_made(cast("asyncio.Transport", whole))

    def on_message_begin(self) -> None:
        """Offer to hang up as ASGI offers what is beyond HTTP: by an extension of the scope."""
        super().on_message_begin()
        self._in_a_message = True
        extensions: dict[str, Any] = {HANG_UP: self.transport.close}
        self.scope["extensions"] = extensions

    def data_received(self, data: bytes) -> None:
        """Let the parser take a verb that it does not know."""
        if not self._in_a_message and data.startswith(_LIST + b" "):
            data = _STAND_IN + data[len(_LIST) :]
        super().data_received(data)

    def on_headers_complete(self) -> None:
        """Give the application, which is asked in the next round only, the verb that was sent."""
        super().on_headers_complete()
        if self.scope["method"] == _STAND_IN.decode():
            self.scope["method"] = _LIST.decode()

    def on_message_complete(self) -> None:
        """Expect the beginning of the next request."""
        self._in_a_message = False
        super().on_message_complete()
