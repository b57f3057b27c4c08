"""Claiming and undoing by the typed client, against a running fake."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from harness.backends.contract import Backend, BackendSession
from harness.errors import BackendFault, BackendUnreachable, RequestRefused
from harness_nordic.client import NrfCloudClient, connect, enrol
from harness_nordic.client_claims import device_uuid_of
from harness_nordic.client_requests import (
    Finished,
)
from harness_nordic.enums import DeviceStatus
from tests.nordic.client.conftest import FIRMWARE, Device

if TYPE_CHECKING:
    from harness.backends.contract import Exchange


def test_claimed_device(client: NrfCloudClient, device: Device) -> None:
    """A claim gives the device with all that the service says of it."""
    claimed = client.claim(device.token(), tags=["a", "b"])

    assert (claimed.id, claimed.status, claimed.tags) == (device.id, DeviceStatus.READY, ("a", "b"))
    assert (claimed.imei, claimed.device_type) == ("359404230261381", "nrf9160_SICA")
    assert (claimed.firmware_id, claimed.ownership_status) == (FIRMWARE, "IDENTIFIED")
    assert claimed.owner_id == client.owner_id
    assert claimed.claimed_at.endswith("Z")
    assert repr(claimed) == f"<ClaimedDevice {device.id} READY>"
    read = client.device(device.id)
    assert (read.id, read.tags, read.claimed_at) == (claimed.id, claimed.tags, claimed.claimed_at)


def test_dry_run(client: NrfCloudClient, device: Device) -> None:
    """A dry run claims nothing, and tells a taken device from a free one."""
    client.dry_run(device.token())
    assert client.devices() == []

    client.claim(device.token())
    with pytest.raises(RequestRefused) as refusal:
        client.dry_run(device.token())

    assert refusal.value.status == 409


def test_refusals_are_clear(client: NrfCloudClient) -> None:
    """A refusal names the call, the status and what the service says."""
    with pytest.raises(RequestRefused, match="ClaimDeviceOwnership was answered 422: malformed token"):
        client.claim("not-a-token")


def test_list_over_pages(backend: Backend, client: NrfCloudClient) -> None:
    """The list is whole though the service gives it in pages."""
    devices = [Device() for _number in range(103)]
    for device in devices:
        enrol(backend, device.record)
        client.claim(device.token())

    assert [device.id for device in client.devices()] == [device.id for device in devices]


def test_block_unblock_unclaim(client: NrfCloudClient, device: Device) -> None:
    """The status follows when it is refreshed, and only then."""
    claimed = client.claim(device.token())
    claimed.block()
    assert claimed.status is DeviceStatus.READY
    assert claimed.refresh().status is DeviceStatus.BLOCKED
    claimed.unblock()
    assert claimed.refresh().status is DeviceStatus.READY
    claimed.unclaim()
    for call in (claimed.refresh, claimed.unclaim, claimed.block, claimed.unblock):
        with pytest.raises(RequestRefused) as refusal:
            call()
        assert refusal.value.status == 404


def test_teams(client: NrfCloudClient, device: Device) -> None:
    """Another team sees nothing of ours; a viewer of our team sees it and changes nothing."""
    claimed = client.claim(device.token())
    other, viewer = client.another_team(), client.colleague("viewer")

    assert other.owner_id != client.owner_id == viewer.owner_id
    assert other.devices() == []
    assert [found.id for found in viewer.devices()] == [claimed.id]
    with pytest.raises(RequestRefused) as refusal:
        viewer.device(claimed.id).block()
    assert refusal.value.status == 403
    assert client.another_team(role="viewer").devices() == []


def test_undo(backend: Backend, client: NrfCloudClient, exchanges: list[Exchange]) -> None:
    """Undo unclaims what was claimed, also by other teams, newest first; what is gone already may be."""
    devices = [Device() for _number in range(4)]
    for device in devices:
        enrol(backend, device.record)
    other = client.another_team()
    for device in devices[:3]:
        client.claim(device.token())
    other.claim(devices[3].token())
    client.raw.request("DELETE", f"/v1/claimed-devices/{devices[1].id}")
    client.device(devices[0].id).unclaim()
    exchanges.clear()

    client.undo()

    undone = [(exchange.url.rpartition("/")[2], exchange.status) for exchange in exchanges]
    assert undone == [(devices[3].id, 204), (devices[2].id, 204), (devices[1].id, 404)]
    exchanges.clear()
    client.undo()
    assert exchanges == []
    assert client.devices() == other.devices() == []


def test_undo_touches_nothing_of_others(
    client: NrfCloudClient, device: Device, exchanges: list[Exchange]
) -> None:
    """A claim that the service refused is not undone: the device is somebody else's, or was ours before."""
    other = client.another_team()
    client.claim(device.token())
    client.forget()
    for refused in (client, other):
        with pytest.raises(RequestRefused):
            refused.claim(device.token())
    exchanges.clear()

    client.undo()

    assert exchanges == []
    (kept,) = client.devices()
    kept.unclaim()


def test_claim_without_an_answer_is_undone(
    backend: Backend, device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A claim is written down before the call: when its answer gets lost, it is undone all the same."""
    client = connect(backend, BackendSession(run_id="run", worker="main"))
    send = client._http.send

    def lose_the_answer(method: str, path: str, **content: Any) -> Any:
        send(method, path, **content)
        raise BackendUnreachable("the answer was lost")

    with monkeypatch.context() as patch:
        patch.setattr(client._http, "send", lose_the_answer)
        with pytest.raises(BackendUnreachable):
            client.claim(device.token())
    assert len(client.devices()) == 1

    client.undo()

    assert client.devices() == []
    client.close()


def test_undo_goes_on_after_a_fault(backend: Backend, device: Device) -> None:
    """A fault while undoing is told after everything else was tried."""
    client = connect(backend, BackendSession(run_id="run", worker="main"))
    other = client.another_team()
    client.claim(device.token())
    for team in (client, other):  # what was claimed under such a name cannot be unclaimed: no such path
        team._claims._begin("x/block").made = True

    with pytest.raises(BackendFault, match="UnclaimDevice was answered 40"):
        client.undo()

    assert client.devices() == []
    client.close()


def test_device_log(backend: Backend, client: NrfCloudClient, device: Device) -> None:
    """The log tells what the device asked, with the ids that it was served: here it is curl that asks."""
    command = client.claim(device.token()).add_command(Finished())
    subprocess.run(
        [
            "curl",
            "-s",
            "-H",
            f"Authorization: Bearer {device.jwt()}",
            f"{backend.url}/v1/provisioning/commands",
        ],
        check=True,
        capture_output=True,
    )

    (request,) = client.device_requests(device.id)

    assert (request.method, request.path, request.status) == ("GET", "/v1/provisioning/commands", 200)
    assert request.ids == (f"{command.id}.1",)
    assert client.device_requests(device.id, last=1) == [request]
    with pytest.raises(RequestRefused):
        client.device_requests("nobody")


def test_device_uuid_of_a_token() -> None:
    """The UUID is read from a token of the documentation; what is no token has none."""
    token = (
        "2dn3hQFQUDYxVDkxSqqLuwABAgMEBQZQJclXUe-kQNSLSh3Kq4H6yVAAAQIDBAUGBwgJCgsMDQ4P."
        "0oRDoQEmoQRBIfZYQPuXc-ijq_PjRM_6BeH--vflm2bs2tfbBV6YV99qLnFbDvdjTXecCBYMWhRozhfCbZVCs0SRSGgbO5kgDhCD3JM"
    )

    assert device_uuid_of(token) == "50363154-3931-4aaa-8bbb-000102030405"
    for text in ("", "a", "ä.b", "2dn3hQFQUDYx.x", "AAAA" * 20):
        assert device_uuid_of(text) is None
