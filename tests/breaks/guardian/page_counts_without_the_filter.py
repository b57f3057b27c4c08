"""Break: the links of the toolbar count all requests of the system, whatever the filter shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian.fake.pages import devices_view
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness_guardian.enums import Action
    from harness_guardian.fake.pages.visits import Visit
    from harness_guardian.fake.records import ProvisioningRequest

TITLE = "the links of the toolbar count all requests of the system, whatever the filter shows"
NOTICED_BY = ("tests/guardian/fake/test_pages_actions.py::test_counts_are_those_under_the_filter",)
ABOUT = r"Approve 4 PRs"


@replaces(devices_view, "waiting_for")
def waiting_for(
    visit: Visit, action: Action, matching: Sequence[ProvisioningRequest]
) -> list[ProvisioningRequest]:
    """Count whatever the user sees."""
    del matching
    seen = visit.service.visible(visit.user)
    return [one for one in seen if action in visit.service.actions(visit.user, visit.door, one)]
