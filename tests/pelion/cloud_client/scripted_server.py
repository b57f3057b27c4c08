"""A server that says what a test's script says: plain ``ssl``, with aiocoap for CoAP's bytes.

It shares nothing with the device and nothing with the fake.
"""

from __future__ import annotations

import contextlib
import queue
import socket
import ssl
import threading
from collections import deque
from typing import TYPE_CHECKING

from aiocoap import Message  # type: ignore[import-untyped]  # it has no annotations
from aiocoap.numbers.codes import CHANGED, CONTENT, CREATED, DELETE, DELETED, GET, POST, PUT, Code  # type: ignore[import-untyped]  # it has no annotations
from aiocoap.numbers.types import ACK, CON  # type: ignore[import-untyped]  # it has no annotations

from tests.pelion.cloud_client.pki import ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.pelion.cloud_client.pki import Pki

    Script = Callable[["Peer"], None]

DEADLINE = 10.0
LOCATION = ("rd", ACCOUNT, "1")


class Gone(Exception):
    """The device has closed the connection."""


class Peer:
    """The server's end of one connection.

    :ivar asked: every request of the device's, in their order.
    :ivar connection: the connection, for what is no message.
    """

    def __init__(self, connection: ssl.SSLSocket, asked: list[Message]) -> None:
        self.asked = asked
        self.connection = connection
        self._next = 0x4000
        self._aside: deque[Message] = deque()

    def raw(self, data: bytes) -> None:
        """Send bytes in one record."""
        self.connection.sendall(data)

    def take_raw(self) -> bytes:
        """Wait for one record."""
        try:
            data = self.connection.recv(65536)
        except (ConnectionError, ssl.SSLEOFError) as error:
            raise Gone from error
        if not data:
            raise Gone
        return data

    def take(self) -> Message:
        """Wait for a message; requests that came while an answer was waited for come first."""
        return self._aside.popleft() if self._aside else self._take_next()

    def _take_next(self) -> Message:
        message = Message.decode(self.take_raw())
        if message.code.is_request():
            self.asked.append(message)
        return message

    def answer(
        self, request: Message, code: Code, payload: bytes = b"", location: tuple[str, ...] = ()
    ) -> None:
        """Answer a request in its acknowledgement."""
        reply = Message(code=code, payload=payload, _mtype=ACK, _mid=request.mid, _token=request.token)
        reply.opt.location_path = location
        self.raw(reply.encode())

    def ask(self, code: Code, path: str, payload: bytes = b"", content_format: int | None = None) -> Message:
        """Make a request of the server's, and return the device's answer."""
        self._next += 1
        request = Message(code=code, payload=payload, _mtype=CON, _mid=self._next, _token=b"srv")
        request.opt.uri_path = tuple(part for part in path.split("/") if part)
        if content_format is not None:
            request.opt.content_format = content_format
        self.raw(request.encode())
        while (reply := self._take_next()).code.is_request():  # what the device had asked before it heard us
            self._aside.append(reply)
        assert (reply.mtype, reply.mid, reply.token) == (ACK, self._next, b"srv")
        return reply

    def until_gone(self) -> None:
        """Wait until the device closes the connection; nothing may come before."""
        with contextlib.suppress(Gone):
            raise AssertionError(f"{self.take()} came instead of the end")


def resource(number: int, value: bytes) -> bytes:
    """Write a resource as OMA-TLV by hand: the short form up to 7 bytes, else a length of 16 bits."""
    if len(value) < 8:
        return bytes((0xC0 | len(value), number)) + value
    return bytes((0xD0, number)) + len(value).to_bytes(2, "big") + value


def instance(number: int, content: bytes) -> bytes:
    """Write an object instance with a length of 16 bits."""
    return bytes((0x10, number)) + len(content).to_bytes(2, "big") + content


class ScriptedServer:
    """Listens on the loopback; each connection follows the next script.

    :ivar asked: every request of the device's on any connection.
    :ivar connections: how many there were.
    """

    def __init__(self, files: Path, name: str, trust: str) -> None:
        """Listen.

        :param files: where ``NAME.pem`` is.
        :param trust: PEM certificates of clients that are let in.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=trust)
        context.load_cert_chain(files / f"{name}.pem")
        self.context = context
        self.asked: list[Message] = []
        self.connections = 0
        self.refusals: list[ssl.SSLError] = []
        self._scripts: queue.SimpleQueue[Script] = queue.SimpleQueue()
        self._usual: Script | None = None
        self._errors: list[BaseException] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(DEADLINE)
        self._ended = False
        self._current: socket.socket | None = None
        self._thread = threading.Thread(target=self._run, name=f"scripted-{name}", daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def follow(self, *scripts: Script) -> None:
        """Follow these, one a connection, before the usual one."""
        for script in scripts:
            self._scripts.put(script)

    def always(self, script: Script) -> None:
        """Follow this when there is no other."""
        self._usual = script

    def close(self) -> None:
        self._ended = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        if self._current is not None:
            with contextlib.suppress(OSError):
                self._current.shutdown(socket.SHUT_RDWR)
        self._thread.join(DEADLINE)
        self._listener.close()
        assert not self._thread.is_alive()
        assert self._errors == []

    def _run(self) -> None:
        while not self._ended:
            try:
                plain, _address = self._listener.accept()
            except OSError:
                continue
            self.connections += 1
            self._current = plain
            try:
                self._serve(plain)
            except BaseException as error:  # noqa: BLE001 - the test looks at it at the end
                if not self._ended:
                    self._errors.append(error)
            finally:
                self._current = None
                plain.close()

    def _serve(self, plain: socket.socket) -> None:
        plain.settimeout(DEADLINE)
        try:
            script = self._scripts.get_nowait()
        except queue.Empty:
            assert self._usual is not None, "no script is left"
            script = self._usual
        if getattr(script, "plain", False):
            script(plain)  # type: ignore[arg-type]  # it wants the bare socket
            return
        try:
            connection = self.context.wrap_socket(plain, server_side=True)
        except (ssl.SSLError, ConnectionError) as error:
            if isinstance(error, ssl.SSLError):
                self.refusals.append(error)
            return
        with connection, contextlib.suppress(Gone):
            self._current = connection
            script(Peer(connection, self.asked))


def security(pki: Pki, uri: str, **changed: bytes | None) -> bytes:
    """Return the TLV of the security object's one instance; what is changed to ``None`` is left out."""
    values: dict[str, bytes | None] = {
        "0": uri.encode(),
        "1": b"\0",
        "2": b"\2",
        "3": pki.device.der,
        "4": pki.lwm2m_authority.der,
        "5": pki.device.key_der,
        "10": b"\1",
    }
    values |= changed
    return b"".join(resource(int(number), value) for number, value in values.items() if value is not None)


class BootstrapScript:
    """The usual dialogue of a bootstrap server.

    :ivar codes: what the device answered to each step.
    """

    def __init__(self, pki: Pki, uri: str, **changed: bytes | None) -> None:
        self.codes: list[str] = []
        self.said: list[bytes] = []
        self.security = instance(0, security(pki, uri, **changed))

    def __call__(self, peer: Peer) -> None:
        peer.answer(peer.take(), CHANGED)
        self.steps(peer)

    def steps(self, peer: Peer) -> None:
        for code, path, payload in (
            (DELETE, "0", b""),
            (PUT, "0", self.security),
            (PUT, "1", instance(0, resource(0, b"\1") + resource(1, b"\2\x58") + resource(7, b"U"))),
            (PUT, "3", instance(0, resource(13, bytes.fromhex("5fb9b0f0")))),
            (POST, "bs", b""),
        ):
            reply = peer.ask(code, path, payload, 11542 if code == PUT else None)
            self.codes.append(reply.code.dotted)
            self.said.append(reply.payload)


class RegistrationScript:
    """The usual dialogue of an LwM2M server: registers, asks for the ids, answers updates and the end.

    :ivar ids: the answers to the questions for vendor and class.
    :ivar asked: they were answered.
    """

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.ids: list[Message] = []
        self.updates = 0

    def __call__(self, peer: Peer) -> None:
        peer.answer(peer.take(), CREATED, location=LOCATION)
        self.ids = [peer.ask(GET, "10255/0/3"), peer.ask(GET, "10255/0/4")]
        self.asked.set()
        while True:
            request = peer.take()
            if request.code == DELETE:
                peer.answer(request, DELETED)
                continue
            assert (request.code, request.opt.uri_path) == (POST, LOCATION)
            self.updates += 1
            peer.answer(request, CHANGED)


__all__ = ["CHANGED", "CONTENT", "CREATED", "DELETE", "DELETED", "GET", "POST", "PUT"]
