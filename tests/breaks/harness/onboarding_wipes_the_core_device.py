"""Break: a device that is onboarded anew loses the name and state that it had."""

from __future__ import annotations

from harness_nordic.fake.core_devices import CoreDevice, CoreDevices
from tests.breaks.support.patching import replaces

TITLE = "a device that is onboarded anew loses the name and state that it had"
NOTICED_BY = ("tests/nordic/fake/test_core_api.py::test_onboarding_by_provisioning",)
ABOUT = r"name|tags|state"


@replaces(CoreDevices, "onboard")
def onboard(self: CoreDevices, owner_id: str, device: CoreDevice) -> CoreDevice:
    """Put the new one in place of the old one."""
    if self.has(owner_id, device.id):
        self.delete(owner_id, device.id)
    return self.add(owner_id, device)
