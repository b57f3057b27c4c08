"""Break: a component that is told to give up forgets its request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian.virtual.agent import Agent
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from collections.abc import Callable

TITLE = "a component that is told to give up forgets its request"
EXPECTED = ("test_manual.py::test_board_gives_up",)
ABOUT = r"driver\.status\(\)"

before = existing(Agent, "cancel")


@replaces(Agent, "cancel")
def cancel(self: Agent, ended: Callable[[], None]) -> None:
    """Tidy up."""

    def tidied() -> None:
        self.component.discard_request()
        ended()

    before(self, tidied)
