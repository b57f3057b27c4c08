"""Break: the chain of whatever profile a component keeps is taken for that of its certificates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian.driver import GuardianComponentDriver
from harness_guardian.driver_files import chain_in_profile
from tests.breaks.support.patching import replaces

TITLE = "the chain of a profile that was never installed is shown as the installed one"
NOTICED_BY = ("tests/guardian/test_driver_holdings.py::test_chain_is_that_of_the_installed_leaf",)
ABOUT = "DID NOT RAISE"

if TYPE_CHECKING:
    from collections.abc import Sequence


@replaces(GuardianComponentDriver, "chain")
def chain(self: GuardianComponentDriver, slot: str) -> Sequence[str]:
    """Ask the profile alone."""
    found, _digest = chain_in_profile(self.get_file("profile"), slot)
    return found
