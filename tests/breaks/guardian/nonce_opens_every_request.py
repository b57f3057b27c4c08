"""Break: a device reads whatever request it names, with any nonce."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian.fake.service import GuardianService
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness_guardian.fake.records import ProvisioningRequest

TITLE = "a device reads whatever request it names, with any nonce"
NOTICED_BY = ("tests/guardian/fake/test_requests_api.py::test_device_reads_its_own_request",)
ABOUT = r"404|status"


@replaces(GuardianService, "is_device_of")
def is_device_of(self: GuardianService, request: ProvisioningRequest, nonce: str) -> bool:
    """Believe it."""
    del self, request, nonce
    return True
