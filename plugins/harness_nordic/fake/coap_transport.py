"""CoAP messages over datagrams that the runner sends and receives: aiocoap, without its own sockets.

aiocoap does what RFC 7252 and RFC 7959 ask of a server: it recognises a request that comes twice and sends
the same answer again, acknowledges what takes long and repeats its own answer until that is acknowledged,
takes a request and gives an answer in blocks.

There is no DTLS: the real service speaks CoAP over DTLS 1.2 only (nrfcloud fact sheet, section 3.3). Where
that has a connection, we have an address and a port.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

from aiocoap import Context, Message, error, interfaces, resource  # type: ignore[import-untyped] # has no types
from aiocoap.messagemanager import MessageManager  # type: ignore[import-untyped] # as above
from aiocoap.numbers import codes, types  # type: ignore[import-untyped] # as above
from aiocoap.tokenmanager import TokenManager  # type: ignore[import-untyped] # as above

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    Render = Callable[[Any], Awaitable[Any]]

Address = tuple[str, int]

_EMPTY_RESET = b"\x70\x00"


def code_of(status: int) -> Any:
    """Return the code that is written like a status: 401 is 4.01."""
    kind, detail = divmod(status, 100)
    return codes.Code(kind << 5 | (detail if detail < 32 else 0))  # noqa: PLR2004 - five bits


def status_of_code(code: Any) -> int:
    """Return the number that is written like a code: 4.01 is 401."""
    return (int(code) >> 5) * 100 + (int(code) & 31)


class NoAnswer(Message):  # type: ignore[misc] # has no types
    """The answer that is none: the request is rejected by a reset."""

    def __init__(self) -> None:
        """Look like an answer to those that pass it on."""
        super().__init__(code=codes.CHANGED)


class Remote(interfaces.EndpointAddress):  # type: ignore[misc] # has no types
    """Where a datagram came from."""

    scheme = "coap"
    is_multicast = False
    is_multicast_locally = False

    def __init__(self, datagrams: _Datagrams, address: Address) -> None:
        """Be an address as seen from a socket."""
        self.datagrams = datagrams
        self.address = address

    def __eq__(self, other: object) -> bool:
        """Tell whether it is the same address, seen from the same socket."""
        return (
            isinstance(other, Remote) and self.address == other.address and self.datagrams is other.datagrams
        )

    def __hash__(self) -> int:
        """Return the same for the same."""
        return hash(self.address)

    @property
    def blockwise_key(self) -> Address:
        """What blocks of one request or answer have in common."""
        return self.address

    @property
    def hostinfo(self) -> str:
        """Host and port."""
        return f"{self.address[0]}:{self.address[1]}"

    @property
    def hostinfo_local(self) -> str:
        """Host and port of the service."""
        return self.datagrams.hostinfo

    @property
    def uri_base(self) -> str:
        """The address."""
        return f"coap://{self.hostinfo}"

    @property
    def uri_base_local(self) -> str:
        """The address of the service."""
        return f"coap://{self.hostinfo_local}"


class _Datagrams(asyncio.DatagramProtocol):
    """One socket: what aiocoap calls a message interface, on an endpoint that somebody else owns."""

    def __init__(self, site: resource.Site) -> None:
        context = Context(serversite=site, loggername="harness.nrfcloud.coap")
        self._log = context.log
        self._tokens = TokenManager(context)
        self._messages = MessageManager(self._tokens)
        self._messages.message_interface = self
        self._tokens.token_interface = self._messages
        context.request_interfaces.append(self._tokens)
        self._transport: asyncio.DatagramTransport | None = None
        self._ending: asyncio.Task[None] | None = None
        self.hostinfo = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Serve from now on."""
        self._transport = cast("asyncio.DatagramTransport", transport)  # uvloop's has no base in common
        host, port, *_more = transport.get_extra_info("sockname")
        self.hostinfo = f"{host}:{port}"

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        """Take a message; what is none is ignored (RFC 7252, section 4.2)."""
        try:
            message = Message.decode(data, Remote(self, (addr[0], addr[1])))
        except (error.UnparsableMessage, UnicodeDecodeError, ValueError):
            self._log.info("ignoring %d bytes that are no message", len(data))
            return
        self._messages.dispatch_message(message)

    def connection_lost(self, _exc: Exception | None) -> None:
        """Stop every timer and every answer that is under way."""
        self._transport = None
        self._ending = asyncio.get_running_loop().create_task(self._tokens.shutdown())

    # What aiocoap asks of a message interface

    def send(self, message: Any) -> None:
        """Send a message; of an answer that is to be none, only the reset that rejects the request."""
        data = message.encode()
        if isinstance(message, NoAnswer):
            if message.mtype is not types.ACK:
                return  # nobody waits
            data = _EMPTY_RESET + message.mid.to_bytes(2, "big")
        if self._transport is not None:
            self._transport.sendto(data, message.remote.address)

    async def recognize_remote(self, remote: Any) -> bool:
        """Tell whether an address is one of this socket's."""
        return isinstance(remote, Remote) and remote.datagrams is self

    async def determine_remote(self, _message: Any) -> None:
        """Know nobody: the service begins no conversation."""

    async def shutdown(self) -> None:
        """Do nothing: the socket is its owner's to close."""


class Place(resource.Resource):  # type: ignore[misc] # has no types
    """What is found under a path, by the methods that are possible there."""

    def __init__(self, methods: Mapping[str, Render]) -> None:
        """Answer by functions of a message.

        :param methods: for example ``{"get": self.fetch}``.
        """
        super().__init__()
        for name, render in methods.items():
            setattr(self, f"render_{name}", render)

    async def render_to_pipe(self, pipe: Any) -> None:
        """Answer; blocks that do not follow each other are refused (RFC 7959, section 2.9.2)."""
        try:
            await super().render_to_pipe(pipe)
        except ValueError as wrong:  # aiocoap lets this one through
            raise error.RequestEntityIncomplete from wrong


class CoapDoor:
    """How the fake is served over UDP; a :class:`~harness.backends.contract.DatagramDoor`.

    :ivar url: set by the runner as soon as somebody listens there.
    """

    part = "coap"
    scheme = "coap"
    remark = "CoAP without DTLS"

    def __init__(self, places: Mapping[tuple[str, ...], Place]) -> None:
        """Serve what is found under these paths."""
        self.url = ""
        self._places = places

    def protocol(self) -> asyncio.DatagramProtocol:
        """Return what takes and sends the datagrams of a socket."""
        site = resource.Site()
        for path, place in self._places.items():
            site.add_resource(path, place)
        return _Datagrams(site)
