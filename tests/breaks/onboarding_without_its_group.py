"""Break: a device that is onboarded joins no device management group."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake.core_devices import CoreDevices
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_nordic.fake.core_devices import CoreDevice

TITLE = "a device that is onboarded joins no device management group"
EXPECTED = ("test_auto_onboarding.py::test_device_is_onboarded",)
ABOUT = r"groups"

before = existing(CoreDevices, "onboard")


@replaces(CoreDevices, "onboard")
def onboard(self: CoreDevices, owner_id: str, device: CoreDevice) -> CoreDevice:
    """Drop the groups."""
    device.groups = ()
    onboarded: CoreDevice = before(self, owner_id, device)
    return onboarded
