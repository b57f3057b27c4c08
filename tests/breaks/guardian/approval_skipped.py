"""Break: a Manual system approves by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian.enums import SYSTEM_ACTOR, ApprovalType, Status
from harness_guardian.fake import flow
from harness_guardian.fake.flow import Flow
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_guardian.fake.organisation import Organisation
    from harness_guardian.fake.records import ProvisioningRequest

TITLE = "a Manual system approves by itself"
EXPECTED = ("test_manual.py::test_initial[jws]", "test_impossible.py::test_vault_is_not_asked_early*")
ABOUT = r"not passed|needs_approval|NEEDS_APPROVAL"

before = existing(Flow, "_verify")


@replaces(Flow, "_verify")
async def _verify(self: Flow, organisation: Organisation, request: ProvisioningRequest) -> None:
    """Record an approval that nobody gave."""
    await before(self, organisation, request)
    if request.approval_type is ApprovalType.MANUAL and request.status is Status.NEEDS_APPROVAL:
        at = organisation.clock.seconds()
        flow._approve(organisation, request, at=at, by=SYSTEM_ACTOR)
        request.enter(Status.COMPLETE_PROVISIONING, at=at, by=SYSTEM_ACTOR)
