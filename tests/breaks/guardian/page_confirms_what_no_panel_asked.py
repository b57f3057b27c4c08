"""Break: a form is obeyed that no confirmation panel has asked for, with any action."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian.enums import Action
from harness_guardian.fake.pages import devices
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness_guardian.fake.pages.sessions import Confirmation

TITLE = "a form is obeyed with another action than its confirmation panel has asked for"
NOTICED_BY = ("tests/guardian/fake/test_pages_actions.py::test_nothing_is_done_without_the_panel",)
ABOUT = r"NEEDS_APPROVAL"


@replaces(devices, "_confirmable")
def _confirmable(confirmation: Confirmation | None) -> tuple[Action, ...]:
    """Let everything be confirmed."""
    del confirmation
    return tuple(Action)
