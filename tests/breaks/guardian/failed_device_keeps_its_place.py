"""Break: a device that could not be provisioned counts all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian.fake.flow import Flow
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness_guardian.fake.checks import Finding
    from harness_guardian.fake.organisation import Organisation
    from harness_guardian.fake.records import ProvisioningRequest

TITLE = "a device that could not be provisioned counts all the same"
NOTICED_BY = ("tests/guardian/fake/test_instances.py::test_what_failed_does_not_count",)
ABOUT = r"FAILED|outcome"


_fail = Flow._fail


@replaces(Flow, "_fail")
def fail(self: Flow, organisation: Organisation, request: ProvisioningRequest, finding: Finding) -> None:
    """Let the device be as it was."""
    device = request.component_instance
    state = None if device is None else device.state
    _fail(self, organisation, request, finding)
    if device is not None and state is not None:
        device.state = state
