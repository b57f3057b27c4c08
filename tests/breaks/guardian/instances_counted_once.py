"""Break: places and hardware ids are checked when a request is verified, and not again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian.fake.flow import Flow
from harness_guardian.fake.records import InstanceState
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness_guardian.fake.checks import Finding
    from harness_guardian.fake.organisation import Organisation
    from harness_guardian.fake.records import ProvisioningRequest

TITLE = "places and hardware ids are checked when a request is verified, and not again"
EXPECTED = ("test_initial_errors.py::test_checked_again[*",)
ABOUT = r"Status.PROVISIONED: 'provisioned'> != <Status.ERROR"


@replaces(Flow, "_recheck")
def _recheck(self: Flow, organisation: Organisation, request: ProvisioningRequest) -> Finding | None:
    """Take a place without looking whether there is one."""
    if request.component_instance is not None and not request.reprovision:
        request.component_instance.state = InstanceState.PROVISIONING
    return None
