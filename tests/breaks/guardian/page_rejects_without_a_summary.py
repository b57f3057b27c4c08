"""Break: the panel of a bulk rejection does not say which requests are going to be rejected."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness_guardian.fake.pages import confirmation, devices
from harness_guardian.fake.pages.confirmation import Panel
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness_guardian.enums import Action
    from harness_guardian.fake.pages.sessions import Message
    from harness_guardian.fake.pages.visits import Visit
    from harness_guardian.fake.records import ProvisioningRequest

TITLE = "the panel of a bulk rejection does not say which requests are going to be rejected"
NOTICED_BY = ("tests/guardian/fake/test_pages_actions.py::test_bulk_rejection_is_summarised_first",)
ABOUT = r"0 of <.*summary"

_whole = existing(confirmation, "panel_for_many")


@replaces(devices, "panel_for_many")
def panel_for_many(visit: Visit, action: Action, requests: Sequence[ProvisioningRequest]) -> Panel | Message:
    """Leave the summary out."""
    panel: Panel | Message = _whole(visit, action, requests)
    return replace(panel, summary=(), rest=0) if isinstance(panel, Panel) else panel
