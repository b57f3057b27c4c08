"""Break: a device is onboarded as soon as the first command of its rule is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake import service
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_nordic.fake.core_devices import CoreDevices
    from harness_nordic.fake.records import ClaimedDevice

TITLE = "a device is onboarded as soon as the first command of its rule is done"
EXPECTED = ("test_auto_onboarding.py::test_onboarding_that_fails",)
ABOUT = r"core.has"

before = existing(service, "onboard")


@replaces(service, "onboard")
def onboard(device: ClaimedDevice, command_id: str, core: CoreDevices) -> None:
    """Wait for no finished."""
    device.onboardings = [(command_id, onboarding) for _awaited, onboarding in device.onboardings]
    before(device, command_id, core)
