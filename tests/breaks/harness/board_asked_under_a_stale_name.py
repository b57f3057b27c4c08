"""Break: a board is asked under a name that another device has got."""

from __future__ import annotations

from harness.inventory.identity import ConsoleOnDemand
from tests.breaks.support.patching import replaces

TITLE = "a board is asked under a name that another device has got"
NOTICED_BY = ("tests/inventory/test_asking_the_right_one.py::*",)
ABOUT = r"DID NOT RAISE BoardLost"


@replaces(ConsoleOnDemand, "_refuse_another")
def refuse_another(self: ConsoleOnDemand) -> None:
    """Trust the list."""
