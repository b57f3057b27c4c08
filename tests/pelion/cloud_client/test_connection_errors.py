"""Servers that are not there, say nothing, or are not the ones: which errors the client names, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from aiocoap.numbers.codes import (  # type: ignore[import-untyped]  # it has no annotations
    CHANGED,
)

from tests.pelion.cloud_client.misfortune import bare, closed_port, first_error, refusing

if TYPE_CHECKING:
    import socket

    from tests.pelion.cloud_client.scripted_server import Peer
    from tests.pelion.cloud_client.site import Site

PATIENCE = 1.0
"""Seconds after which a client gives up; what goes well before that, a handshake too, takes far less."""


def test_a_name_that_nobody_knows(site: Site) -> None:
    """DNS: a name that can have no address."""
    site.board.store.items["mbed.BootstrapServerURI"] = f"coaps://{'a' * 70}.invalid:5684?aid=1".encode()

    assert first_error(site) == (
        "ConnectDnsResolvingFailed",
        "267",
        f"{'a' * 70}.invalid has no address",
    )


def test_a_name_that_is_known(site: Site) -> None:
    """A name is resolved, and each of its addresses tried."""
    site.board.store.items["mbed.BootstrapServerURI"] = f"coaps://localhost:{site.bootstrap.port}".encode()

    site.register()
    assert site.bootstrap.connections == 1


def test_a_refused_connection(site: Site) -> None:
    """Nobody listens; the client tries again until somebody does."""
    port = closed_port()
    site.board.provision(site.pki, port)

    assert first_error(site) == ("ConnectNetworkError", "261", f"127.0.0.1:{port}: Connection refused")
    site.board.on_loop(lambda: site.board.provision(site.pki, site.bootstrap.port))
    assert site.board.wait_state("registered")["failures"] >= 1


def test_a_server_that_says_nothing(site: Site) -> None:
    """No handshake in time."""
    site.bootstrap.follow(bare(_until_closed))

    assert first_error(site, client_timeout_s=PATIENCE) == (
        "ConnectTimeout",
        "260",
        f"no handshake with 127.0.0.1:{site.bootstrap.port} in time",
    )


def _until_closed(plain: socket.socket) -> None:
    while plain.recv(65536):
        pass


def test_a_server_that_does_not_answer(site: Site) -> None:
    """No answer in time, to the bootstrap request and to the registration."""

    def silent(peer: Peer) -> None:
        peer.take()
        peer.until_gone()

    site.bootstrap.follow(silent)
    site.lwm2m.follow(silent)
    site.board.settings.client_timeout_s = PATIENCE
    site.board.start()
    site.board.wait_state("registered")

    assert site.board.errors() == [
        ("ConnectTimeout", "260", "no answer to POST /bs within 1 s"),
        ("ConnectTimeout", "260", "no answer to POST /rd within 1 s"),
    ]


def test_a_bootstrap_that_does_not_end(site: Site) -> None:
    """The server accepts and writes nothing."""
    site.bootstrap.follow(refusing(CHANGED))

    assert first_error(site, client_timeout_s=PATIENCE) == (
        "ConnectTimeout",
        "260",
        "the bootstrap server did not finish in time",
    )


def test_a_server_that_hangs_up(site: Site) -> None:
    """The connection is closed before the answer, and before the end."""
    site.bootstrap.follow(lambda peer: peer.take() and None, lambda peer: peer.answer(peer.take(), CHANGED))

    site.board.start()
    site.board.wait_state("registered")

    assert site.board.errors() == [("ConnectNetworkError", "261", "the server closed the connection")] * 2


def test_no_network(site: Site) -> None:
    """Without a link nothing is tried; when it comes back the client goes on at once."""
    site.board.settings.retry_first_s = site.board.settings.retry_longest_s = 60
    site.board.on_loop(lambda: site.board.client.set_link(up=False))

    assert first_error(site) == ("ConnectNetworkError", "261", "there is no network")
    assert site.bootstrap.connections == 0
    assert site.board.state()["link_up"] is False
    site.board.on_loop(lambda: site.board.client.set_link(up=True))
    site.board.wait_state("registered")


def test_the_network_goes_and_comes_back(site: Site) -> None:
    """A registered device that loses its link registers anew with it."""
    site.register()
    site.board.settings.retry_first_s = site.board.settings.retry_longest_s = 60
    site.board.on_loop(lambda: site.board.client.set_link(up=False))
    site.board.wait_state("failed")

    site.board.on_loop(lambda: site.board.client.set_link(up=True))

    site.board.wait_state("registered")
    assert site.bootstrap.connections == 1
    assert site.lwm2m.connections == 2


def test_the_server_refuses_the_developers_certificate(site: Site) -> None:
    """An unknown client certificate: the server's alert is in the details."""
    site.board.provision(
        site.pki,
        site.bootstrap.port,
        BootstrapDeviceCert=site.pki.stranger.der,
        BootstrapDevicePrivateKey=site.pki.stranger.key_der,
    )

    name, code, details = first_error(site)

    assert (name, code) == ("ConnectSecureConnectionFailed", "266")
    assert "alert" in details
    assert site.bootstrap.asked == []


def test_the_device_refuses_the_servers_certificate(site: Site) -> None:
    """It is not signed by the authority that the device was given."""
    site.board.store.items["mbed.BootstrapServerCACert"] = site.pki.lwm2m_authority.der

    name, code, details = first_error(site)

    assert (name, code) == ("ConnectSecureConnectionFailed", "266")
    assert details.startswith("the server's certificate is refused: ")
    assert site.bootstrap.asked == []


@pytest.mark.parametrize("years", [-2, 12])
def test_the_boards_clock_judges_dates(site: Site, years: int) -> None:
    """A certificate that is not valid yet, or not any more, by the board's clock."""
    site.board.clock.offset = years * 365 * 86400.0

    assert first_error(site) == (
        "ConnectSecureConnectionFailed",
        "266",
        "the server's certificate is not valid now",
    )


def test_a_server_without_tls(site: Site) -> None:
    """What answers is no TLS; and one that hangs up at once."""
    site.bootstrap.follow(
        bare(lambda plain: plain.sendall(b"SSH-2.0-x\r\n")), bare(lambda plain: plain.recv(65536) and None)
    )

    site.board.start()
    site.board.wait_state("registered")

    assert {name for name, _code, _details in site.board.errors()} <= {"ConnectSecureConnectionFailed"}
    assert len(site.board.errors()) == 2
