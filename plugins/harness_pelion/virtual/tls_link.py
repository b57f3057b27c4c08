"""TLS 1.2 over TCP with a client certificate: one record carries one message.

Source: pelion fact sheet, section 6.2. The device trusts exactly the one authority that it was given for a
server, and judges dates by its own clock. It does not compare the server's name: with an authority that signs
for one service only, the authority's signature is what makes a server the right one. [design]

Python's ``ssl`` reads a private key from a file only; it gets one in memory which has no name in any
directory and which only this process can reach, for as long as it reads.
"""

from __future__ import annotations

import os
import socket
import ssl
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)

from harness_pelion.virtual.client_log import ClientFailure, ErrorName
from harness_pelion.virtual.client_session import Woken

if TYPE_CHECKING:
    from datetime import datetime

    from harness_pelion.virtual.client_session import Session
    from harness_pelion.virtual.server_uri import ServerUri

#: A family, and what its sockets connect to.
_Address = tuple[int, tuple[Any, ...]]

_LARGEST_READ = 65536
#: X509_V_FLAG_NO_CHECK_TIME of OpenSSL: the board's clock judges, not that of the host.
_NO_CHECK_TIME = 0x200000


@dataclass(frozen=True, slots=True)
class Identity:
    """A certificate, its private key, and whom the device trusts with them.

    :ivar authority: the DER certificate that a server's certificate must be signed by.
    """

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey = field(repr=False)
    authority: bytes

    @property
    def common_name(self) -> str:
        """Return the common name of the certificate's subject, empty when it has none."""
        names = self.certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        return str(names[0].value) if names else ""


def read_identity(certificate: bytes, key: bytes, authority: bytes) -> Identity:
    """Read what the store holds, or what a bootstrap gave.

    :param certificate: DER.
    :param key: DER of an EC key, PKCS#8 or traditional.
    :param authority: DER certificate.
    :raises ClientFailure: one of them is broken, or they do not belong together.
    """
    try:
        leaf = x509.load_der_x509_certificate(certificate)
        x509.load_der_x509_certificate(authority)
        public = leaf.public_key()
        _ = leaf.subject
    except Exception as error:
        raise _broken("a certificate cannot be read") from error
    try:
        private = load_der_private_key(key, None)
    except Exception:  # noqa: BLE001 - as above
        # Not chained: what the library says of a private key stays here.
        raise _broken("the private key cannot be read") from None
    if not isinstance(private, ec.EllipticCurvePrivateKey):
        raise _broken("the private key is no EC key")
    form = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    if public.public_bytes(*form) != private.public_key().public_bytes(*form):
        raise _broken("the private key does not fit the certificate")
    return Identity(leaf, private, authority)


def _broken(text: str) -> ClientFailure:
    return ClientFailure(ErrorName.ConnectorInvalidCredentials, text, hopeless=True)


def _context(identity: Identity) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | _NO_CHECK_TIME
    try:
        context.load_verify_locations(cadata=identity.authority)
        _load_identity(context, identity)
    except (ssl.SSLError, ValueError) as error:
        raise _broken("TLS refuses the credentials") from error
    return context


def _load_identity(context: ssl.SSLContext, identity: Identity) -> None:
    pem = identity.certificate.public_bytes(Encoding.PEM) + identity.key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    number = os.memfd_create("identity", os.MFD_CLOEXEC)
    try:
        os.fchmod(number, 0o600)
        os.write(number, pem)
        context.load_cert_chain(f"/proc/self/fd/{number}")
    finally:
        os.close(number)


class TlsLink:
    """A connection to a server. Used by one thread; the session ends its waits from outside."""

    def __init__(self, session: Session, server: ServerUri, identity: Identity, now: datetime) -> None:
        """Connect and shake hands.

        :param session: how to wait.
        :param server: where to.
        :param identity: who the device is, and whom it trusts.
        :param now: what the board's clock says.
        :raises ClientFailure: it does not come to be.
        :raises Abandoned: the run was ended.
        """
        self._session = session
        deadline = time.monotonic() + session.settings.client_timeout_s
        context = _context(identity)
        self._socket = _connect(session, server, deadline)
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=server.host)
        try:
            self._shake_hands(server, deadline)
            self._check_dates(identity, now)
        except BaseException:
            self._socket.close()
            raise

    def _shake_hands(self, server: ServerUri, deadline: float) -> None:
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._flush(deadline, f"no handshake with {server} in time")
                if self._fill(deadline) is not Woken.READY:
                    raise _late(f"no handshake with {server} in time") from None
            except ssl.SSLError as error:
                self._flush_what_goes()  # the alert that says why
                raise _insecure(_reason(error)) from error
            else:
                return self._flush(deadline, f"no handshake with {server} in time")

    def _check_dates(self, identity: Identity, now: datetime) -> None:
        shown = self._tls.getpeercert(binary_form=True) or b""
        try:
            chain = [x509.load_der_x509_certificate(der) for der in (shown, identity.authority)]
        except ValueError as error:
            raise _insecure("the server's certificate cannot be read") from error
        for certificate in chain:
            if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
                raise _insecure("the server's certificate is not valid now")

    def send(self, message: bytes) -> None:
        """Send a message in one record.

        :raises ClientFailure: it does not go out.
        :raises Abandoned: the run was ended.
        """
        deadline = time.monotonic() + self._session.settings.client_timeout_s
        try:
            self._tls.write(message)
        except ssl.SSLError as error:
            raise _insecure(_reason(error)) from error
        self._flush(deadline, "the server takes no more data")

    def receive(self, deadline: float, *, nudgeable: bool = False) -> bytes | Woken:
        """Wait for a message and return it, or why there is none.

        :param deadline: when to give up, on the monotonic clock.
        :param nudgeable: a nudge ends the wait.
        :raises ClientFailure: the connection is broken.
        :raises Abandoned: the run was ended.
        """
        while True:
            try:
                message = self._tls.read(_LARGEST_READ)
            except ssl.SSLWantReadError:
                self._flush(deadline, "the server takes no more data")
                woken = self._fill(deadline, nudgeable=nudgeable)
                if woken is not Woken.READY:
                    return woken
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError) as error:
                raise _gone() from error
            except ssl.SSLError as error:
                raise _insecure(_reason(error)) from error
            else:
                if not message:
                    raise _gone()
                return message

    def _fill(self, deadline: float, *, nudgeable: bool = False) -> Woken:
        """Wait until there is more to decrypt."""
        woken = self._session.wait(deadline, self._socket, nudgeable=nudgeable)
        if woken is not Woken.READY:
            return woken
        try:
            data = self._socket.recv(_LARGEST_READ)
        except BlockingIOError:
            return woken  # the caller asks again
        except OSError:
            data = b""
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()
        return woken

    def _flush(self, deadline: float, late: str) -> None:
        """Send what is encrypted."""
        left = memoryview(self._outgoing.read())
        while left:
            try:
                left = left[self._socket.send(left) :]
            except BlockingIOError:
                if self._session.wait(deadline, self._socket, writing=True) is Woken.TIME_OUT:
                    raise _late(late) from None
            except OSError:
                # What the server said before it hung up, an alert perhaps, is still to be read.
                return

    def _flush_what_goes(self) -> None:
        with suppress(OSError):
            self._socket.send(self._outgoing.read())

    def close(self, *, politely: bool) -> None:
        """Close the connection; nothing happens when it is closed.

        :param politely: tell the server first; a board without power tells nobody.
        """
        if politely and self._socket.fileno() >= 0:
            with suppress(ssl.SSLError):
                self._tls.unwrap()
            self._flush_what_goes()
        self._socket.close()


def _connect(session: Session, server: ServerUri, deadline: float) -> socket.socket:
    """Connect to the first of a server's addresses that answers; the socket never blocks."""
    session.check()
    last: ClientFailure | None = None
    for family, address in _resolve(session, server, deadline):
        connection = socket.socket(family, socket.SOCK_STREAM)
        try:
            connection.setblocking(False)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            _connect_to(session, connection, address, server, deadline)
        except ClientFailure as failure:
            connection.close()
            last = failure
        except BaseException:
            connection.close()
            raise
        else:
            return connection
    raise last or ClientFailure(ErrorName.ConnectDnsResolvingFailed, f"{server.host} has no address")


def _connect_to(
    session: Session,
    connection: socket.socket,
    address: tuple[Any, ...],
    server: ServerUri,
    deadline: float,
) -> None:
    try:
        connection.connect(address)
    except BlockingIOError:
        if session.wait(deadline, connection, writing=True) is Woken.TIME_OUT:
            raise _late(f"no connection to {server} in time") from None
        code = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    except OSError as error:
        code = error.errno or 0
    else:
        return
    if code:
        raise ClientFailure(ErrorName.ConnectNetworkError, f"{server}: {os.strerror(code)}")


def _resolve(session: Session, server: ServerUri, deadline: float) -> list[_Address]:
    """Return the addresses of a server.

    The system's resolver cannot be broken off; a name is looked up on a thread of its own, which ends when
    the resolver gives up and whose answer nobody may be waiting for then.
    """
    with suppress(OSError, ValueError):
        return _look_up(server, socket.AI_NUMERICHOST)
    found: list[list[_Address]] = []

    def look_up() -> None:
        try:
            found.append(_look_up(server, 0))
        except (OSError, ValueError):
            found.append([])
        session.nudge()

    threading.Thread(target=look_up, name=f"resolve-{server.host}", daemon=True).start()
    while not found:
        if session.wait(deadline, nudgeable=True) is Woken.TIME_OUT:
            raise ClientFailure(ErrorName.ConnectDnsResolvingFailed, f"no address of {server.host} in time")
    if not found[0]:
        raise ClientFailure(ErrorName.ConnectDnsResolvingFailed, f"{server.host} has no address")
    return found[0]


def _look_up(server: ServerUri, flags: int) -> list[_Address]:
    answers = socket.getaddrinfo(server.host, server.port, type=socket.SOCK_STREAM, flags=flags)
    return [(family, address) for family, _kind, _protocol, _name, address in answers]


def _late(text: str) -> ClientFailure:
    return ClientFailure(ErrorName.ConnectTimeout, text)


def _gone() -> ClientFailure:
    return ClientFailure(ErrorName.ConnectNetworkError, "the server closed the connection")


def _insecure(text: str) -> ClientFailure:
    return ClientFailure(ErrorName.ConnectSecureConnectionFailed, text)


def _reason(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the server's certificate is refused: {error.verify_message}"
    if isinstance(error, ssl.SSLEOFError):
        return "the server hung up during the handshake"
    return (error.reason or "TLS failed").lower().replace("_", " ")
