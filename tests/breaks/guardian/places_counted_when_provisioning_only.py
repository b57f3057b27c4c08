"""Break: places and hardware ids are checked when provisioning begins, and not before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian.fake import checks
from harness_guardian.fake.records import COUNTED
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from collections.abc import Collection

    from harness_guardian.fake.checks import Claims, Finding
    from harness_guardian.fake.organisation import Organisation
    from harness_guardian.fake.records import InstanceState, ProvisioningRequest

TITLE = "places and hardware ids are checked when provisioning begins, and not before"
EXPECTED = ("test_initial_errors.py::test_no_place[*", "test_initial_errors.py::test_duplicate[*")
ABOUT = r"PROVISIONING|verifying"

before = existing(checks, "check_initial")


@replaces(checks, "check_initial")
def check_initial(
    organisation: Organisation,
    request: ProvisioningRequest,
    claims: Claims,
    states: Collection[InstanceState],
) -> Finding | None:
    """Look for nobody while a request is verified."""
    found: Finding | None = before(organisation, request, claims, () if states is COUNTED else states)
    return found
