"""What a session did not claim it never changes, and what it claims it asks about first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.errors import RequestRefused, UsageError
from harness_nordic.client_requests import Finished
from harness_nordic.enums import DeviceStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.backends.contract import Backend
    from harness.backends.ledger import Ledger
    from harness_nordic.client import NrfCloudClient
    from harness_nordic.client_objects import ClaimedDevice
    from tests.nordic.paper_device import PaperDevice

CHANGES: dict[str, Callable[[ClaimedDevice], object]] = {
    "unclaim": lambda device: device.unclaim(),
    "block": lambda device: device.block(),
    "unblock": lambda device: device.unblock(),
    "command": lambda device: device.add_command(Finished()),
}


@pytest.mark.parametrize("name", CHANGES)
def test_device_of_the_team_that_nobody_claimed_here(
    name: str, make: Callable[..., NrfCloudClient], fake: Backend, device: PaperDevice
) -> None:
    """It can be read, and is not unclaimed, blocked or given a command, whoever's key it is."""
    theirs = make(fake, session="theirs").claim(device.token())
    ours = make(fake, session="ours")

    with pytest.raises(UsageError, match="a device that this session did not claim") as caught:
        CHANGES[name](ours.device(device.id))

    assert device.id in str(caught.value)
    assert ours.device(device.id).status is DeviceStatus.READY
    theirs.block()  # whoever claimed it may
    assert ours.device(device.id).status is DeviceStatus.BLOCKED


def test_hand_made_request_is_no_way_around(
    make: Callable[..., NrfCloudClient], fake: Backend, device: PaperDevice
) -> None:
    """A raw DELETE of such a device is not sent; of a device that is nobody's it is, and refused."""
    make(fake, session="theirs").claim(device.token())
    ours = make(fake, session="ours")

    with pytest.raises(UsageError, match=r"DELETE .* would change"):
        ours.raw.request("DELETE", f"/v1/claimed-devices/{device.id}")

    assert ours.device(device.id).id == device.id
    nobodys = "00000000-0000-4000-8000-000000000000"
    assert ours.raw.request("DELETE", f"/v1/claimed-devices/{nobodys}").status_code == 404


def test_real_service_is_asked_before_a_claim(
    make: Callable[..., NrfCloudClient], fake: Backend, device: PaperDevice, ledger: Ledger
) -> None:
    """A device that is somebody's already is refused by the dry run: no claim is sent, and none is noted."""
    make(fake, session="theirs").claim(device.token())
    noted = ledger.entries()
    ours = make(fake, session="ours", mode="real")

    with pytest.raises(RequestRefused, match=r"ClaimDeviceOwnership \(dry run\) was answered 409"):
        ours.claim(device.token())

    assert ledger.entries() == noted


def test_real_service_takes_what_it_would_take(
    make: Callable[..., NrfCloudClient], fake: Backend, device: PaperDevice, ledger: Ledger
) -> None:
    """A device that is nobody's is claimed after the dry run, and unclaimed when the test ends."""
    ours = make(fake, mode="real")

    claimed = ours.claim(device.token())

    assert claimed.refresh().status is DeviceStatus.READY
    ours.undo()
    assert ours.devices() == []
    assert ledger.entries() == []
