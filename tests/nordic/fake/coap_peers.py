"""Who asks the fake by CoAP in its tests: libcoap's client, and a socket that sends literal bytes."""

from __future__ import annotations

import asyncio
import re
import socket
import subprocess
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

DEADLINE = 10.0
LIMITS = "after=&rxMaxSize=4096&txMaxSize=4096&limit=10"
_RECEIVED = re.compile(rb"^v:1 t:(\w+) c:([2-5]\.\d\d) i:(\w+) \{\w*\} \[ ?(.*?) ?\]", re.MULTILINE)


class UdpServer:
    """Serves a fake's CoAP door from a thread of its own, as the runner would."""

    def __init__(self, door: Any) -> None:
        """Know the door."""
        self._door = door
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.port = 0

    def __enter__(self) -> Self:
        """Serve."""
        self._thread.start()
        self._transport = asyncio.run_coroutine_threadsafe(self._open(), self._loop).result(DEADLINE)
        self.port = self._transport.get_extra_info("sockname")[1]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the socket, and let what is under way end."""
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(DEADLINE)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(DEADLINE)
        self._loop.close()

    async def _open(self) -> asyncio.DatagramTransport:
        transport, _protocol = await self._loop.create_datagram_endpoint(
            self._door.protocol, local_addr=("127.0.0.1", 0)
        )
        return transport

    async def _close(self) -> None:
        self._transport.close()
        await asyncio.sleep(0)  # the protocol is told in the next turn
        await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}), return_exceptions=True)


@dataclass(frozen=True)
class CoapAnswer:
    """What libcoap's client got.

    :ivar codes: of every message that came, as they are written.
    :ivar options: of the last message, as the client writes them.
    """

    codes: list[str]
    options: str
    payload: bytes
    log: str

    @property
    def code(self) -> str:
        """The code of the last message."""
        return self.codes[-1]


def free_port() -> int:
    """Return a UDP port that nobody has."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class LibcoapDevice:
    """A device whose CoAP is libcoap's; every call comes from the same port."""

    def __init__(self, server_port: int, directory: Any) -> None:
        """Know the service."""
        self._server = f"coap://127.0.0.1:{server_port}"
        self._directory = directory
        self.port = free_port()

    def ask(
        self, method: str, path: str, payload: bytes = b"", *, kind: int | None = None, options: str = ""
    ) -> CoapAnswer:
        """Send a request; ``options`` are the client's own."""
        output, content = self._directory / "answer", self._directory / "payload"
        output.unlink(missing_ok=True)
        command = ["coap-client-notls", "-v", "7", "-B", "5", "-p", str(self.port), "-o", str(output)]
        command += [*options.split(), "-m", method]
        if payload:
            content.write_bytes(payload)
            command += ["-f", str(content)]
        if kind is not None:
            command += ["-t", str(kind)]
        command.append(f"{self._server}/{path}")
        done = subprocess.run(command, capture_output=True, check=True, timeout=20)
        # The client shows a payload that came in blocks once more when it is whole, as its last message.
        received = {match[3]: match for match in _RECEIVED.finditer(done.stdout + done.stderr)}.values()
        return CoapAnswer(
            [match[2].decode() for match in received],
            list(received)[-1][4].decode() if received else "",
            output.read_bytes() if output.exists() else b"",
            (done.stdout + done.stderr).decode(errors="replace"),
        )

    def authenticate(self, jwt: str, path: str = "p/auth-jwt?mver=x&cver=1") -> CoapAnswer:
        """Prove who the device is."""
        return self.ask("post", path, jwt.encode(), kind=60)

    def fetch(self, query: str = LIMITS, options: str = "") -> CoapAnswer:
        """Fetch commands."""
        return self.ask("get", f"p/cmd?{query}", options=options)

    def report(self, body: bytes, options: str = "") -> CoapAnswer:
        """Report."""
        return self.ask("post", "p/rsp", body, kind=60, options=options)


class LiteralDevice:
    """A socket that sends and receives bytes as they are written in a test."""

    def __init__(self, port: int) -> None:
        """Take a port of its own."""
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.settimeout(DEADLINE)
        self._socket.connect(("127.0.0.1", port))

    def send(self, data: bytes | str) -> None:
        """Send bytes, or a text of hex digits and blanks."""
        self._socket.send(bytes.fromhex(data) if isinstance(data, str) else data)

    def receive(self) -> bytes:
        """Return the next datagram."""
        return self._socket.recv(65536)

    def close(self) -> None:
        """Give the port back."""
        self._socket.close()


def requests_of(site: Any) -> list[tuple[str, str, int]]:
    """Return method, path and status of what the device asked."""
    events = site.control.ask("GET", "/events", params={"device": site.device.id}).json()["items"]
    return [(event["method"], event["path"], event["status"]) for event in events]
