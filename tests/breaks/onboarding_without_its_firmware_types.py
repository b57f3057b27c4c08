"""Break: a device that is onboarded takes no firmware updates."""

from __future__ import annotations

from harness_nordic.fake.core_devices import CoreDevice, CoreDevices
from tests.breaks.support.patching import existing, replaces

TITLE = "a device that is onboarded takes no firmware updates"
EXPECTED = ("test_auto_onboarding.py::test_device_is_onboarded",)
ABOUT = r"firmware_types"

before = existing(CoreDevices, "onboard")


@replaces(CoreDevices, "onboard")
def onboard(self: CoreDevices, owner_id: str, device: CoreDevice) -> CoreDevice:
    """Drop the types that were chosen."""
    device.firmware_types = ()
    onboarded: CoreDevice = before(self, owner_id, device)
    return onboarded
