"""Break: a device that is blocked in provisioning is not found in the core either."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake.core_api import CoreApi
from harness_nordic.fake.refusals import NotFound
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from starlette.requests import Request

    from harness_nordic.fake.core_devices import CoreDevice

TITLE = "a blocked device cannot be used in the core"
EXPECTED = ("test_core_and_claims.py::test_blocked_device_stays_usable_in_the_core",)
ABOUT = r"core\.has"

before = existing(CoreApi, "_device")


@replaces(CoreApi, "_device")
def _device(self: CoreApi, request: Request) -> CoreDevice:
    """Look at the claim first."""
    device: CoreDevice = before(self, request)
    claimed = self._service._claims.get(device.id)
    if claimed is not None and claimed.blocked:
        raise NotFound("the device is blocked")
    return device
