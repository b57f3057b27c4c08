"""TLS 1.2 with client certificates, as the two servers speak it: one record at a time.

One CoAP message is what one record carries: there is no other mark of where it ends (pelion fact sheet,
section 6.2). A stream of Python's would put records together, so this reads records from the connection
itself and hands them to OpenSSL one by one. It thereby sees the client's certificate, which TLS 1.2 sends in
the clear, before OpenSSL judges it, and can say whose certificate was refused.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import serialization

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness_pelion.fake.issuing import Credential
    from harness_pelion.fake.limits import Limits

LARGEST_MESSAGE = 16384
"""Bytes that one record can carry (RFC 5246, section 6.2.1)."""

_RECORD_HEADER = 5
_LARGEST_RECORD = LARGEST_MESSAGE + 2048
_CHANGE_CIPHER_SPEC, _ALERT, _HANDSHAKE, _APPLICATION_DATA = 20, 21, 22, 23
_RECORD_KINDS = (_CHANGE_CIPHER_SPEC, _ALERT, _HANDSHAKE, _APPLICATION_DATA)
_CERTIFICATE_MESSAGE = 11
_LARGEST_HANDSHAKE = 1 << 17
_READ = 1 << 16
_NO_CHECK_TIME = 0x200000
"""OpenSSL's X509_V_FLAG_NO_CHECK_TIME: whether a certificate has expired is told by the fake's clock."""

ACCESS_DENIED = 49
BAD_CERTIFICATE = 42
CERTIFICATE_EXPIRED = 45
"""Alerts (RFC 5246, section 7.2) that we send ourselves."""


class LinkEnded(Exception):
    """The connection is over: closed, broken, or too slow."""


class HandshakeRefused(Exception):
    """There is no TLS connection, and the other end was told.

    :ivar certificate: DER of the certificate that it showed; empty when it showed none.
    :ivar alert: number of the alert that says why; ``None``: OpenSSL has written one, or there is none.
    """

    def __init__(self, reason: str, *, alert: int | None = None, certificate: bytes = b"") -> None:
        """Say why."""
        super().__init__(reason)
        self.alert = alert
        self.certificate = certificate


class Contexts:
    """The server's side of TLS, made again whenever whom it trusts changes."""

    def __init__(self, credential: Credential, anchors: Callable[[], Sequence[bytes]]) -> None:
        """Show a certificate and trust what is signed by others.

        :param credential: what the server shows.
        :param anchors: returns the DER of every certificate that is trusted now.
        """
        self._credential = credential
        self._anchors = anchors
        self._trusted: list[bytes] = []
        self._context: ssl.SSLContext | None = None

    def current(self) -> ssl.SSLContext:
        """Return what trusts exactly whom it is to trust now."""
        trusted = list(self._anchors())
        if self._context is None or trusted != self._trusted:
            self._trusted = trusted
            self._context = _make_context(self._credential, trusted)
        return self._context

    def for_anybody(self) -> ssl.SSLContext:
        """Return one for a single connection, which is to be told by :func:`trust` whom it trusts."""
        context = _make_context(self._credential, [])
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        return context


def trust(context: ssl.SSLContext, certificate: bytes) -> None:
    """Let the client in that shows a certificate and has its key: somebody else judges the certificate.

    :param context: of its connection alone.
    :param certificate: DER; OpenSSL refuses what is none.
    """
    with contextlib.suppress(ssl.SSLError, ValueError):
        context.load_verify_locations(cadata=certificate)


class SecureLink:
    """One TLS connection."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        context: ssl.SSLContext,
        limits: Limits,
    ) -> None:
        """Speak TLS over a connection that somebody else closes.

        :param reader: what the client sends.
        :param writer: what it gets.
        :param context: of :class:`Contexts`.
        :param limits: how long the client may take.
        """
        self._limits = limits
        self._reader = reader
        self._writer = writer
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._buffer = bytearray()

    async def shake_hands(self, check: Callable[[bytes], None]) -> bytes:
        """Agree on keys.

        :param check: called with the DER of the client's certificate before it is judged; may raise.
        :return: that certificate, which is trusted.
        :raises HandshakeRefused: by OpenSSL, by the client or by the check; the other end is to be told by
            :meth:`say_farewell`.
        :raises LinkEnded: the client went away, or took too long.
        """
        watch = _CertificateWatch(check)
        resumed = b""
        try:
            async with asyncio.timeout(self._limits.handshake_seconds):
                await self._agree(watch)
            if not watch.certificate:  # a session is resumed: the certificate is not sent again
                resumed = self._tls.getpeercert(binary_form=True) or b""
                check(resumed)
        except TimeoutError:
            raise LinkEnded("the handshake took too long") from None
        except HandshakeRefused as refused:
            refused.certificate = watch.certificate or resumed
            if resumed:  # both ends encrypt by now, also alerts
                refused.alert = None
            raise
        except ssl.SSLError as refused:
            raise HandshakeRefused(_reason(refused), certificate=watch.certificate) from None
        return watch.certificate or resumed

    async def say_farewell(self, refused: HandshakeRefused) -> None:
        """Tell the client that it is refused, and let it read that."""
        if refused.alert is not None:
            self._outgoing.write(bytes([_ALERT, 3, 3, 0, 2, 2, refused.alert]))
        with contextlib.suppress(LinkEnded, OSError, RuntimeError):
            await self._flush()
            self._writer.write_eof()
        await self.wait_until_closed(self._limits.linger_seconds)

    async def receive(self, idle_seconds: float) -> bytes | None:
        """Return what the next record carries; ``None`` when the client has closed the connection.

        :param idle_seconds: how long to wait for its first byte.
        :raises TimeoutError: nothing came; the connection may be used further.
        :raises LinkEnded: the connection is broken.
        """
        while True:
            record = await self._read_record(idle_seconds)
            if record is None:
                return None
            self._incoming.write(record)
            try:
                return self._tls.read(_READ) or None  # nothing: the client says that it closes
            except ssl.SSLWantReadError:
                await self._flush()  # it carried nothing, or was no data
            except ssl.SSLError as broken:
                await self._flush()
                raise LinkEnded(_reason(broken)) from None

    async def send(self, message: bytes) -> None:
        """Send one message in one record.

        :raises LinkEnded: the connection is broken, or the client does not read.
        :raises ValueError: it is too large for a record.
        """
        if not 0 < len(message) <= LARGEST_MESSAGE:
            raise ValueError(f"{len(message)} bytes cannot be sent in one record")
        try:
            self._tls.write(message)
        except ssl.SSLError as broken:
            raise LinkEnded(_reason(broken)) from None
        await self._flush()

    async def wait_until_closed(self, seconds: float) -> None:
        """Say nothing and listen to nothing until the client has gone; not longer than some seconds."""
        try:
            async with asyncio.timeout(seconds):
                while await self._reader.read(_READ):
                    pass
        except (TimeoutError, OSError):
            return

    async def close(self) -> None:
        """Tell the client that nothing follows; the connection below is its owner's to close."""
        # It says that it waits for an answer, which we do not need, or there is nothing left to end.
        with contextlib.suppress(OSError, ValueError):
            self._tls.unwrap()
        with contextlib.suppress(LinkEnded):
            await self._flush()

    async def _agree(self, watch: _CertificateWatch) -> None:
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                await self._flush()
            else:
                await self._flush()
                return
            record = await self._read_record(self._limits.handshake_seconds)
            if record is None:
                raise LinkEnded("the client went away during the handshake")
            watch.look_at(record)
            self._incoming.write(record)

    async def _read_record(self, idle_seconds: float) -> bytes | None:
        """Return the next record with its header, ``None`` at the end of the connection.

        Being cancelled loses nothing: what has come stays in the buffer.
        """
        if not self._buffer:
            async with asyncio.timeout(idle_seconds):
                if not await self._read_more():
                    return None
        record = self._cut_record()
        if record is not None:
            return record
        try:
            async with asyncio.timeout(self._limits.record_seconds):
                while record is None:
                    if not await self._read_more():
                        raise LinkEnded("the client went away within a record")
                    record = self._cut_record()
        except TimeoutError:
            raise LinkEnded("a record was begun and not completed") from None
        return record

    def _cut_record(self) -> bytes | None:
        """Return the record that the buffer begins with, ``None`` while it is incomplete.

        :raises LinkEnded: it begins with none.
        """
        if len(self._buffer) < _RECORD_HEADER:
            return None
        length = _RECORD_HEADER + int.from_bytes(self._buffer[3:5], "big")
        if length > _LARGEST_RECORD or self._buffer[0] not in _RECORD_KINDS:
            raise LinkEnded("this is no TLS")
        if len(self._buffer) < length:
            return None
        record = bytes(self._buffer[:length])
        del self._buffer[:length]
        return record

    async def _read_more(self) -> bool:
        try:
            data = await self._reader.read(_READ)
        except OSError as broken:
            raise LinkEnded(f"the connection broke: {broken}") from None
        self._buffer += data
        return bool(data)

    async def _flush(self) -> None:
        data = self._outgoing.read()
        if not data:
            return
        try:
            self._writer.write(data)
            async with asyncio.timeout(self._limits.record_seconds):
                await self._writer.drain()
        except TimeoutError:
            raise LinkEnded("the client does not read") from None
        except (OSError, RuntimeError) as broken:
            raise LinkEnded(f"the connection broke: {broken}") from None


class _CertificateWatch:
    """Finds the client's certificate among the records of a handshake (RFC 5246, section 7.4.6)."""

    def __init__(self, check: Callable[[bytes], None]) -> None:
        self.certificate = b""
        self._check = check
        self._messages = bytearray()
        self._encrypted = False

    def look_at(self, record: bytes) -> None:
        """Take a record; what is malformed is left to OpenSSL to refuse."""
        if record[0] == _CHANGE_CIPHER_SPEC:
            self._encrypted = True
        if record[0] != _HANDSHAKE or self._encrypted or len(self._messages) > _LARGEST_HANDSHAKE:
            return
        self._messages += record[_RECORD_HEADER:]
        while len(self._messages) >= 4:  # noqa: PLR2004 - type and length of a handshake message
            length = 4 + int.from_bytes(self._messages[1:4], "big")
            if len(self._messages) < length:
                return
            kind, body = self._messages[0], bytes(self._messages[4:length])
            del self._messages[:length]
            if kind == _CERTIFICATE_MESSAGE and len(body) > 6:  # noqa: PLR2004 - two lengths, then the first
                self.certificate = body[6 : 6 + int.from_bytes(body[3:6], "big")]
                self._check(self.certificate)


def _make_context(credential: Credential, anchors: Sequence[bytes]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags |= _NO_CHECK_TIME
    context.options |= ssl.OP_NO_TICKET | ssl.OP_NO_RENEGOTIATION
    if anchors:
        context.load_verify_locations(cadata=b"".join(anchors))
    key = serialization.load_der_private_key(credential.key, None)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    # There is no other way to give a context its key than a file: a private one that is gone at once.
    with tempfile.TemporaryDirectory(prefix="fake-tls-") as directory:
        path = Path(directory) / "server.pem"
        path.touch(mode=0o600)
        path.write_bytes(pem + ssl.DER_cert_to_PEM_cert(credential.certificate).encode())
        context.load_cert_chain(path)
    return context


def _reason(error: ssl.SSLError) -> str:
    """Return why OpenSSL refuses, in its own words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"{error.reason}: {error.verify_message}"
    return error.reason or str(error)
