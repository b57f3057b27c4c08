"""Break: a component makes another request each time that it provisions, though one is open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian.virtual.component import Component
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness_guardian.virtual.component import Wishes
    from harness_guardian.virtual.records import Pending

TITLE = "another request is made though one is open: the device counts twice"
EXPECTED = (
    "test_power_cuts.py::test_exchanges[*",
    "test_resubmission.py::test_a_board_submits_again*",
)
ABOUT = r"_wrong|provision|rows"


@replaces(Component, "fitting_request")
def fitting_request(self: Component, wishes: Wishes) -> Pending | None:
    """Know of none."""
    self.check_ready(wishes)
    return None
