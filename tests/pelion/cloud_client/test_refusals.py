"""Servers that say no: which error the client names, and what it does then."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from aiocoap import Message  # type: ignore[import-untyped]  # it has no annotations
from aiocoap.numbers.codes import (  # type: ignore[import-untyped]  # it has no annotations
    BAD_REQUEST,
    CHANGED,
    CREATED,
    FORBIDDEN,
    INTERNAL_SERVER_ERROR,
    NOT_FOUND,
    SERVICE_UNAVAILABLE,
    UNAUTHORIZED,
    Code,
)
from aiocoap.numbers.types import RST  # type: ignore[import-untyped]  # it has no annotations

from tests.pelion.cloud_client.misfortune import first_error, refusing
from tests.pelion.cloud_client.pki import DEVICE
from tests.pelion.cloud_client.scripted_server import LOCATION, Peer

if TYPE_CHECKING:
    from tests.pelion.cloud_client.site import Site


def test_lwm2m_credentials_that_are_refused_bring_a_bootstrap(site: Site) -> None:
    """The LwM2M server refuses the certificate: the device forgets it, names itself, and gets another."""
    site.register()
    site.board.stop()
    site.board.store.items["mbed.LwM2MDeviceCert"] = site.pki.stranger.der
    site.board.store.items["mbed.LwM2MDevicePrivateKey"] = site.pki.stranger.key_der

    site.board.start()
    site.board.wait_state("registered")

    (error,) = site.board.errors()
    assert error[0] == "ConnectSecureConnectionFailed"
    assert site.bootstrap.connections == 2
    assert site.bootstrap.asked[-1].opt.uri_query[-1] == f"iep={DEVICE}"
    assert site.board.store.items["mbed.LwM2MDeviceCert"] == site.pki.device.der


@pytest.mark.parametrize(
    ("code", "text", "details"),
    [
        (FORBIDDEN, b"too many devices", "the bootstrap server refused: 4.03 Forbidden (too many devices)"),
        (BAD_REQUEST, b"", "the bootstrap server refused: 4.00 Bad Request"),
        (UNAUTHORIZED, b"a\nb\xff", "the bootstrap server refused: 4.01 Unauthorized (a?b\ufffd)"),
        (SERVICE_UNAVAILABLE, b"", "the bootstrap server refused: 5.03 Service Unavailable"),
    ],
)
def test_a_refused_bootstrap(site: Site, code: Code, text: bytes, details: str) -> None:
    """4.xx and 5.xx with the server's own words; then the client tries again."""
    site.bootstrap.follow(refusing(code, text))

    assert first_error(site) == ("ConnectBootstrapFailed", "257", details)
    site.board.wait_state("registered")


def test_a_bootstrap_that_nobody_understands(site: Site) -> None:
    """The device answers 4.00; the server hangs up; the error says what it was."""

    def damaged(peer: Peer) -> None:
        peer.answer(peer.take(), CHANGED)
        assert peer.ask(Code(3), "0", b"\xc8\0", 11542).code == BAD_REQUEST

    site.bootstrap.follow(damaged)

    assert first_error(site) == (
        "ConnectBootstrapFailed",
        "257",
        "the device did not understand: PUT /0: it ends within the head of an entry",
    )
    assert site.board.store.commits == []
    site.board.wait_state("registered")


@pytest.mark.parametrize("code", [BAD_REQUEST, FORBIDDEN])
def test_a_registration_that_is_refused_for_good(site: Site, code: Code) -> None:
    """4.00 and 4.03: the client bootstraps again, as the real one does."""
    site.lwm2m.follow(refusing(code, b"unknown device"))

    name, number, details = first_error(site)

    assert (name, number) == ("ConnectInvalidParameters", "258")
    assert details.startswith("the registration was refused: 4.0")
    assert details.endswith(" (unknown device)")
    site.board.wait_state("registered")
    assert site.bootstrap.connections == 2


@pytest.mark.parametrize("code", [NOT_FOUND, INTERNAL_SERVER_ERROR])
def test_a_registration_that_is_refused_for_now(site: Site, code: Code) -> None:
    """Anything else: the client tries again with what it has."""
    site.lwm2m.follow(refusing(code))

    assert first_error(site)[0] == "ConnectNetworkError"
    site.board.wait_state("registered")
    assert site.bootstrap.connections == 1


def test_a_registration_without_a_location(site: Site) -> None:
    """An answer without a location cannot be updated."""
    site.lwm2m.follow(refusing(CREATED))

    assert first_error(site)[2] == "the registration was answered without a location"


def test_a_reset(site: Site) -> None:
    """The server rejects the request by a reset."""

    def reset(peer: Peer) -> None:
        request = peer.take()
        peer.raw(Message(code=Code(0), _mtype=RST, _mid=request.mid, _token=b"").encode())
        peer.until_gone()

    site.lwm2m.follow(reset)

    assert first_error(site) == ("ConnectNetworkError", "261", "the server rejected POST /rd by a reset")


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (NOT_FOUND, ("ConnectNotRegistered", "259", "the update was refused: 4.04 Not Found")),
        (
            SERVICE_UNAVAILABLE,
            ("ConnectNetworkError", "261", "the update was refused: 5.03 Service Unavailable"),
        ),
    ],
)
def test_a_refused_update(site: Site, code: Code, error: tuple[str, str, str]) -> None:
    """4.04: the device registers anew on the same connection; else on another one."""

    def forgetful(peer: Peer) -> None:
        peer.answer(peer.take(), CREATED, location=LOCATION)
        peer.answer(peer.take(), code)
        if code == NOT_FOUND:
            site.registration(peer)

    site.lwm2m.follow(forgetful)
    site.board.settings.register_every_s = 0.05

    assert first_error(site) == error
    site.board.wait(lambda: site.board.client.state()["updates"] >= 1)
    assert site.board.state()["error"] is None
    assert site.lwm2m.connections == (1 if code == NOT_FOUND else 2)
    assert site.bootstrap.connections == 1
