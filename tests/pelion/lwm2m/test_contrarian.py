"""The servers with every choice decided the other way: a device must bear what nobody knows."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import pytest

from harness_pelion.fake.choices import CONTRARIAN
from tests.pelion.lwm2m.device_site import DeviceSite, make_developer_pair
from tests.pelion.lwm2m.test_virtual_client import board_with

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.pelion.lwm2m.conftest import Connect


@pytest.fixture(scope="module")
def contrarian() -> Iterator[DeviceSite]:
    """Both servers, contrarian."""
    with DeviceSite(choices=CONTRARIAN) as site:
        yield site


def test_a_bootstrap_has_fewer_steps_and_another_format(
    contrarian: DeviceSite, to_bootstrap: Connect
) -> None:
    """Nothing is deleted, no time is told, and the format has its old number."""
    developer = contrarian.developer()
    device = to_bootstrap(developer.pair, at=contrarian)
    assert str(device.ask("POST", "/bs", developer.claims).code) == "2.04 Changed"
    for expected in ("/0", "/1"):
        request = device.next_request()
        assert device.seen[-1] == ("PUT", expected)
        assert request.opt.content_format == 99
        device.answer(request, "CHANGED")
    request = device.next_request()
    assert device.seen[-1] == ("POST", "/bs")
    device.answer(request, "CHANGED")
    device.ask("GET", "/nothing")
    (record,) = contrarian.devices(developer.account)
    assert record.endpoint_name == record.id


def test_a_refusal_has_another_code(contrarian: DeviceSite, to_bootstrap: Connect) -> None:
    """Of a device that says that it is another one, and of one too many."""
    developer = contrarian.developer(contrarian.account(devices=0))
    device = to_bootstrap(developer.pair, at=contrarian)
    other = ["ep=" + "0" * 32, f"aid={developer.account.id}"]
    assert str(device.ask("POST", "/bs", other).code) == "4.00 Bad Request"
    assert str(device.ask("POST", "/bs", developer.claims).code) == "4.00 Bad Request"
    assert contrarian.devices(developer.account) == []


def test_a_stranger_is_refused_behind_the_handshake(
    contrarian: DeviceSite, to_bootstrap: Connect, to_lwm2m: Connect
) -> None:
    """By both servers, whoever it says that it is; without a certificate nobody gets that far."""
    developer = contrarian.developer()
    stranger = make_developer_pair(developer.id, developer.account.id)
    for connect, path, claims, code in (
        (to_bootstrap, "/bs", developer.claims, "4.00 Bad Request"),
        (to_lwm2m, "/rd", [f"ep={developer.id}", "lt=60", "b=U"], "4.03 Forbidden"),
    ):
        device = connect(stranger, at=contrarian)
        assert str(device.ask("POST", path, claims).code) == code
        with pytest.raises(ssl.SSLError, match="HANDSHAKE_FAILURE"):
            connect(None, at=contrarian)
    assert contrarian.devices(developer.account) == []


def test_the_virtual_client_bears_it(contrarian: DeviceSite) -> None:
    """It registers all the same."""
    developer = contrarian.developer()
    with board_with(contrarian, developer) as board:
        board.start()
        state = board.wait_state("registered")
        assert [each.id for each in contrarian.devices(developer.account)] == [state["device_id"]]
