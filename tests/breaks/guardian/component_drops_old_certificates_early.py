"""Break: a component gives its certificates up as soon as it has asked for others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian.virtual import records
from harness_guardian.virtual.component import Component
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_guardian.virtual.component import Wishes
    from harness_guardian.virtual.records import Pending

TITLE = "the old certificates are given up when others are asked for"
EXPECTED = (
    "test_reprovisioning_mismatches.py::test_component*",
    "test_reprovisioning_mismatches.py::test_hardware_id*",
    "test_reprovisioning_mismatches.py::test_instance*",
)
ABOUT = r"proof|changed_nothing|attempt|before"

before = existing(Component, "make_request")


@replaces(Component, "make_request")
def make_request(self: Component, wishes: Wishes) -> Pending:
    """Make room first."""
    made: Pending = before(self, wishes)
    self.storage.commit({records.INSTALLED: None})
    return made
