"""Break: an approval counts again while the first one is recorded."""

from __future__ import annotations

from harness_guardian.enums import ApprovalType, Status
from harness_guardian.fake import machine
from harness_guardian.fake.machine import Happening
from tests.breaks.support.patching import replaces

TITLE = "an approval counts again while the first one is recorded"
NOTICED_BY = (
    "tests/guardian/fake/test_users_at_once.py::test_two_admins_approve_one_request_once",
    "tests/guardian/fake/test_machine.py::test_every_status_with_every_happening[Manual-*]",
)
ABOUT = r"passed|wrong-state|DID NOT RAISE|refus"


_next_status = machine.next_status


@replaces(machine, "next_status")
def next_status(status: Status, happening: Happening, approval_type: ApprovalType) -> Status:
    """Take a second approval for a first one."""
    if (status, happening) == (Status.APPROVING, Happening.APPROVE):
        return Status.APPROVING
    if (status, happening) == (Status.COMPLETE_PROVISIONING, Happening.APPROVAL_RECORDED):
        return Status.COMPLETE_PROVISIONING
    return _next_status(status, happening, approval_type)
