"""HTTP as fakes speak it: an answer leaves in one piece, and a connection may be closed without one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    from collections.abc import Callable

#: Extension of the ASGI scope that closes the connection: a fake may order its service to say nothing.
HANG_UP = "harness.hang_up"


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
    """What a fake's listeners speak."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn's own
        """Join what is written."""
        whole = WholeAnswers(transport, asyncio.get_running_loop().call_soon)
        super().connection_made(cast("asyncio.Transport", whole))

    def on_message_begin(self) -> None:
        """Offer to hang up as ASGI offers what is beyond HTTP: by an extension of the scope."""
        super().on_message_begin()
        extensions: dict[str, Any] = {HANG_UP: self.transport.close}
        self.scope["extensions"] = extensions
