"""How a connection may end, and how one may fail to begin."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import struct
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from harness_pelion.virtual.client_log import ClientFailure, ErrorName
from harness_pelion.virtual.client_session import Session
from harness_pelion.virtual.server_uri import ServerUri
from harness_pelion.virtual.tls_link import TlsLink, read_identity

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.pelion.cloud_client.scripted_server import Peer
    from tests.pelion.cloud_client.site import Site

FULL = 64


def close_notify(peer: Peer) -> None:
    """End the connection as TLS ends one."""
    peer.connection.unwrap()


def reset(peer: Peer) -> None:
    """End the connection by a TCP reset."""
    peer.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def garbage(peer: Peer) -> None:
    """Say something that is no record."""
    os.write(peer.connection.fileno(), b"garbage that is no record")
    with contextlib.suppress(ssl.SSLError):  # the device may say by an alert what it thinks of that
        peer.until_gone()


@pytest.mark.parametrize(
    ("end", "error"),
    [
        (close_notify, ("ConnectNetworkError", "the server closed the connection")),
        (reset, ("ConnectNetworkError", "the server closed the connection")),
        (garbage, ("ConnectSecureConnectionFailed", "wrong version number")),
    ],
)
def test_ends(site: Site, end: Callable[[Peer], None], error: tuple[str, str]) -> None:
    """Politely, by a reset, by something that is not TLS: the error says so, and the client tries again."""

    def script(peer: Peer) -> None:
        peer.take()
        end(peer)

    site.bootstrap.follow(script)
    site.board.start()
    site.board.wait_state("registered")

    ((name, _code, details),) = site.board.errors()
    assert (name, details) == error


def test_no_connection_in_time(site: Site) -> None:
    """A server whose queue of connections is full; on the loopback it takes a few to fill it."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        fillers = [socket.socket() for _ in range(3)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        site.board.provision(site.pki, port)
        site.board.settings.client_timeout_s = 0.1
        site.board.settings.retry_first_s = site.board.settings.retry_longest_s = 60
        site.board.start()
        site.board.wait_state("failed")
        for filler in fillers:
            filler.close()

    assert site.board.errors() == [("ConnectTimeout", "260", f"no connection to 127.0.0.1:{port} in time")]


@pytest.fixture
def session(site: Site) -> Session:
    """A run that is driven by the test's own thread."""
    return Session(site.board, site.board.settings, site.board.points, link_up=True)


def connect(site: Site, session: Session) -> TlsLink:
    """Connect to the bootstrap server."""
    pki = site.pki
    identity = read_identity(pki.developer.der, pki.developer.key_der, pki.bootstrap_authority.der)
    return TlsLink(session, ServerUri("127.0.0.1", site.bootstrap.port, None), identity, datetime.now(UTC))


def test_a_server_that_does_not_read(site: Site, session: Session) -> None:
    """What does not go out in time is an error; nothing hangs."""
    done = threading.Event()

    def deaf(_peer: Peer) -> None:
        done.wait(10)

    site.bootstrap.follow(deaf)
    link = connect(site, session)
    site.board.settings.client_timeout_s = 0.2  # the handshake is over
    before = time.monotonic()

    with pytest.raises(ClientFailure, match="the server takes no more data") as caught:
        for _ in range(FULL * 64):
            link.send(bytes(16000))

    assert caught.value.name is ErrorName.ConnectTimeout
    assert time.monotonic() - before < 5
    done.set()
    link.close(politely=False)
    link.close(politely=True)
    session.close()


def test_one_record_is_one_message(site: Site, session: Session) -> None:
    """Messages that arrive together are received one by one; each is sent as one record."""
    got = []

    def script(peer: Peer) -> None:
        got.append(peer.take_raw())
        peer.raw(b"first")
        peer.raw(b"second")
        peer.until_gone()

    site.bootstrap.follow(script)
    link = connect(site, session)
    link.send(b"x" * 16000)
    deadline = time.monotonic() + 5

    assert link.receive(deadline) == b"first"
    assert link.receive(deadline) == b"second"
    assert got == [b"x" * 16000]
    link.close(politely=True)
    session.close()


def test_an_authority_that_openssl_refuses(site: Site, session: Session) -> None:
    """An identity that TLS cannot be made with is one of broken credentials."""
    pki = site.pki
    identity = read_identity(pki.developer.der, pki.developer.key_der, pki.bootstrap_authority.der)
    broken = type(identity)(identity.certificate, identity.key, b"")

    with pytest.raises(ClientFailure, match="TLS refuses the credentials") as caught:
        TlsLink(session, ServerUri("127.0.0.1", 1, None), broken, datetime.now(UTC))

    assert caught.value.name is ErrorName.ConnectorInvalidCredentials
    session.close()
