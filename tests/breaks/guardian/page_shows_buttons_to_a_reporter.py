"""Break: the Devices page shows buttons to users who may not act."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian.enums import Action, Status
from harness_guardian.fake.pages import device_rows
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness_guardian.fake.pages.visits import Visit
    from harness_guardian.fake.records import ProvisioningRequest

TITLE = "the Devices page shows buttons to users who may not act"
NOTICED_BY = ("tests/guardian/fake/test_pages_actions.py::test_others_get_no_action*",)
ABOUT = r"texts\(.button., form=.choose.\) == \[\]"


@replaces(device_rows, "buttons")
def buttons(visit: Visit, request: ProvisioningRequest) -> list[device_rows.Button]:
    """Look at the status alone."""
    del visit
    waits = request.status is Status.NEEDS_APPROVAL
    return [device_rows.Button(name=Action.APPROVE.value, text="Approve")] if waits else []
