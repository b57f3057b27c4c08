"""Break: the driver changes hardware whose keys nobody can put back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian.driver_safety import ChangeGuard
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness_guardian.driver_safety import FoundState

TITLE = "a component in somebody's use is changed without --allow-destructive"
NOTICED_BY = (
    "tests/guardian/test_driver_safety.py::test_component_in_use_is_left_alone[package-provisioned]",
    "tests/guardian/test_driver_safety.py::test_component_in_use_is_left_alone[init-ready]",
    "tests/guardian/test_driver_safety.py::test_component_in_use_is_left_alone[erase-requested]",
)
ABOUT = "DID NOT RAISE"


@replaces(ChangeGuard, "check")
def check(self: ChangeGuard, words: Sequence[str], found: FoundState) -> None:
    """Let everything pass."""
