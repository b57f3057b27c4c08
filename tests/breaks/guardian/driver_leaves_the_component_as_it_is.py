"""Break: the driver does not make a component blank again that it found blank."""

from __future__ import annotations

from harness_guardian.driver_session import AgentSession
from tests.breaks.support.patching import replaces

TITLE = "a component that was found blank is not blank again after a test"
NOTICED_BY = (
    "tests/guardian/test_driver_safety.py::test_blank_component_is_blank_afterwards",
    "tests/guardian/test_driver_safety.py::test_component_in_use_may_be_changed_when_that_is_meant[*]",
    "tests/guardian/test_driver_safety.py::test_what_cannot_be_put_back_stays_noted",
)
ABOUT = "blank|DID NOT RAISE"


@replaces(AgentSession, "_erase")
def _erase(self: AgentSession) -> None:
    self._changed = self._carries = False
