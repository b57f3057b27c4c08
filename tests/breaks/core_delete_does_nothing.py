"""Break: deleting an onboarded device is answered, and nothing happens."""

from __future__ import annotations

from harness_nordic.fake.core_devices import CoreDevice, CoreDevices
from tests.breaks.support.patching import replaces

TITLE = "an onboarded device that was deleted is still there"
EXPECTED = (
    "test_core_devices.py::test_deleted_device",
    "test_core_and_claims.py::test_delete_leaves_the_claim_alone",
    "test_core_and_claims.py::test_unclaimed_device_stays_until_it_is_deleted",
)
ABOUT = r"has"
SEPARATE = True


@replaces(CoreDevices, "delete")
def delete(self: CoreDevices, owner_id: str, device_id: str) -> CoreDevice:
    """Find the device, and keep it."""
    return self.device(owner_id, device_id)
