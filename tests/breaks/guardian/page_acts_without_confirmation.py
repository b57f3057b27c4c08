"""Break: a button of a row acts at once; no confirmation panel is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian.fake.pages import devices
from harness_guardian.fake.pages.sessions import Message
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness_guardian.enums import Action
    from harness_guardian.fake.pages.confirmation import Panel
    from harness_guardian.fake.pages.visits import Visit
    from harness_guardian.fake.records import ProvisioningRequest

TITLE = "a button of a row acts at once; no confirmation panel is shown"
NOTICED_BY = (
    "tests/guardian/fake/test_pages_actions.py::test_approve_one",
    "tests/guardian/fake/test_pages_actions.py::test_reject_one",
)
ABOUT = r"NEEDS_APPROVAL|0 of <"


@replaces(devices, "panel_for_one")
def panel_for_one(visit: Visit, action: Action, request: ProvisioningRequest) -> Panel | Message:
    """Ask nothing."""
    visit.service.act(visit.user, visit.door, request, action)
    return Message(text="Done.")
