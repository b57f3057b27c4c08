"""Break: the cloud provisions what is an appliance's."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness_guardian.enums import ProvisionSource
from harness_guardian.fake import checks
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from collections.abc import Collection

    from harness_guardian.fake.checks import Claims, Finding
    from harness_guardian.fake.organisation import Organisation
    from harness_guardian.fake.records import InstanceState, ProvisioningRequest

TITLE = "the cloud provisions what is an appliance's"
EXPECTED = (
    "test_appliance.py::test_the_same_request_at_both",
    "test_appliance.py::test_a_board_goes_to_the_appliance",
    "test_appliance.py::test_system_of_the_appliance",
)
ABOUT = r"APPLIANCE_ONLY"


_check = checks.check_initial


@replaces(checks, "check_initial")
def check_initial(
    organisation: Organisation,
    request: ProvisioningRequest,
    claims: Claims,
    states: Collection[InstanceState],
) -> Finding | None:
    """Take every request for one that came in at the appliance."""
    return _check(organisation, replace(request, door=ProvisionSource.APPLIANCE), claims, states)
