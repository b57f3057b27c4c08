"""Break: devices are counted when a request is verified, and not once more when it is provisioned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian.fake.flow import Flow
from harness_guardian.fake.records import InstanceState
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness_guardian.fake.checks import Finding
    from harness_guardian.fake.organisation import Organisation
    from harness_guardian.fake.records import ProvisioningRequest

TITLE = "devices are counted when a request is verified, and not once more when it is provisioned"
NOTICED_BY = (
    "tests/guardian/fake/test_instances.py::test_of_two_approved_requests_the_second_to_be_provisioned_fails[*]",
    "tests/guardian/fake/test_instances.py::test_of_two_provisioned_at_once_the_first_one_has_the_place[*]",
)
ABOUT = r"outcome|provisioned"


@replaces(Flow, "_recheck")
def recheck(self: Flow, organisation: Organisation, request: ProvisioningRequest) -> Finding | None:
    """Take the place without a look."""
    del self, organisation
    if request.component_instance is not None and not request.reprovision:
        request.component_instance.state = InstanceState.PROVISIONING
    return None
