"""Break: a run of the board's agent goes on when the power is gone."""

from __future__ import annotations

from contextlib import suppress

from harness.virtual.loop_calls import Abandoned
from harness_nordic.virtual.session import Session
from tests.breaks.support.patching import existing, replaces

TITLE = "the board's agent goes on without power"
EXPECTED = ("test_power_cuts.py::test_before_each_exchange", "test_power_cuts.py::test_after_each_exchange")
ABOUT = r"wrong"

before = existing(Session, "pass_by")


@replaces(Session, "abandon")
def abandon(self: Session) -> None:
    """Go on."""


@replaces(Session, "pass_by")
def pass_by(self: Session, point: str, detail: str) -> None:
    """Go on past the cut too; what was to be done there has no result."""
    with suppress(Abandoned):
        before(self, point, detail)
    self._calls._abandoned = False
