"""A device that is none of ours: Python's ``ssl`` on a plain socket, and messages as aiocoap writes them."""

from __future__ import annotations

import itertools
import socket
import ssl
import struct
from typing import TYPE_CHECKING, Any, Self

from aiocoap import Message  # type: ignore[import-untyped] # has no types
from aiocoap.numbers import codes, types  # type: ignore[import-untyped] # as above
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import NameOID

from tests.pelion.lwm2m.device_site import Pair

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

PATIENCE = 10.0
TLV = 11542
LINKS = 40
OBJECTS = b'</>;rt="oma.lwm2m",</1/0>,</3/0>,</10255/0>'


class RawDevice:
    """One connection to one server.

    :ivar seen: every request that the server made, its method and path.
    """

    def __init__(self, port: int, pair: Pair | None, authority: str, directory: Path) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.check_hostname = False
        context.load_verify_locations(cadata=authority)
        if pair is not None:
            path = directory / "pair.pem"
            path.write_text(pair.certificate + pair.key)
            context.load_cert_chain(path)
        self.seen: list[tuple[str, str]] = []
        self._last: Any = None
        self._ids = itertools.count(0x1000)
        plain = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            self.socket = context.wrap_socket(plain, server_hostname="127.0.0.1")
        except BaseException:
            plain.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        """Send a message in a record of its own."""
        self.socket.sendall(data)

    def receive(self) -> bytes:
        """Return what the next record carries; nothing when the server has closed the connection."""
        return self.socket.recv(1 << 16)

    def read(self) -> Any:
        """Return the next message, read by aiocoap."""
        data = self.receive()
        assert data, "the server closed the connection"
        return Message.decode(data)

    def write(self, message: Any) -> None:
        """Send a message, written by aiocoap."""
        self.send(message.encode())

    def ask(
        self,
        code: str,
        path: str,
        query: Sequence[str] = (),
        *,
        payload: bytes = b"",
        content_format: int | None = None,
    ) -> Any:
        """Send a confirmable request and return its answer."""
        message = Message(code=getattr(codes, code), payload=payload)
        message.mtype, message.mid, message.token = types.CON, next(self._ids), b"\xda\x7a"
        message.opt.uri_path = tuple(path.strip("/").split("/"))
        message.opt.uri_query = tuple(query)
        if content_format is not None:
            message.opt.content_format = content_format
        self.write(message)
        answer = self.read()
        assert (answer.mtype, answer.mid, answer.token) == (types.ACK, message.mid, message.token)
        return answer

    def next_request(self) -> Any:
        """Return what the server asks next."""
        message = self.read()
        assert message.mtype is types.CON
        assert message.code.is_request()
        self._last = message
        self.seen.append((str(message.code), "/" + "/".join(message.opt.uri_path)))
        return message

    def answer_last(self, code: str) -> None:
        """Answer what the server asked last."""
        self.answer(self._last, code)

    def answer_wrongly(self) -> None:
        """Refuse what the server asked last."""
        self.answer_last("BAD_REQUEST")

    def answer(
        self, request: Any, code: str, payload: bytes = b"", content_format: int | None = None
    ) -> None:
        """Answer what the server asked, in the acknowledgement."""
        message = Message(code=getattr(codes, code), payload=payload)
        message.mtype, message.mid, message.token = types.ACK, request.mid, request.token
        if content_format is not None:
            message.opt.content_format = content_format
        self.write(message)

    def is_closed(self) -> bool:
        """Tell whether the server closes the connection, by TLS or below."""
        try:
            return self.receive() == b""
        except (ssl.SSLError, ConnectionError):
            return True


STEPS = ("delete", "security", "server", "device", "finish")
EXPECTED = [
    ("DELETE", "/0"),
    ("PUT", "/0"),
    ("PUT", "/1"),
    ("PUT", "/3"),
    ("POST", "/bs"),
]


def take_bootstrap(device: RawDevice, *, stop_at: str = "", answers: dict[str, str] | None = None) -> Given:
    """Answer the server's requests until the end of the bootstrap.

    :param stop_at: a step whose request is taken and not answered.
    :param answers: codes of answers that are other than they should be.
    """
    given = Given()
    for step, (method, path) in zip(STEPS, EXPECTED, strict=True):
        request = device.next_request()
        assert device.seen[-1] == (method, path)
        if method == "PUT":
            assert request.opt.content_format == TLV
            given.objects[path] = request.payload
        if step == stop_at:
            return given
        usual = "DELETED" if method == "DELETE" else "CHANGED"
        device.answer(request, (answers or {}).get(step, usual))
        if step in (answers or {}):
            return given
    return given


class Given:
    """What a bootstrap gave a device.

    :ivar objects: TLV by path.
    """

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    @property
    def security(self) -> dict[int, bytes]:
        """Resources of the security object."""
        return self.resources("/0")

    def resources(self, path: str) -> dict[int, bytes]:
        """Return the resources of the one instance of an object."""
        ((kind, _number, content),) = read_tlv(self.objects[path])
        assert kind == 0
        return {number: value for _kind, number, value in read_tlv(content)}

    @property
    def pair(self) -> Pair:
        """The device's own certificate and key."""
        key = serialization.load_der_private_key(self.security[5], None)
        return Pair(
            certificate=ssl.DER_cert_to_PEM_cert(self.security[3]),
            key=key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ).decode(),
        )

    @property
    def device_id(self) -> str:
        """The CN of the device's certificate."""
        subject = x509.load_der_x509_certificate(self.security[3]).subject
        return str(subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)


def read_tlv(data: bytes) -> list[tuple[int, int, bytes]]:
    """Read one level of OMA-TLV: kind, identifier and value of each entry (OMA LwM2M 1.0, table 20)."""
    entries = []
    while data:
        kind, wide, size, short = data[0] >> 6, data[0] & 0x20, (data[0] & 0x18) >> 3, data[0] & 7
        data = data[1:]
        (number,) = struct.unpack(">H", data[:2]) if wide else struct.unpack("B", data[:1])
        data = data[2:] if wide else data[1:]
        length = int(data[:size].hex(), 16) if size else short
        data = data[size:]
        assert len(data) >= length
        entries.append((kind, number, data[:length]))
        data = data[length:]
    return entries
