"""Break: a component asks again sooner than the service wants to be asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian.virtual import provisioning
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness_guardian.virtual.exchange import Answer

TITLE = "a component does not leave the service the time that it asks for"
NOTICED_BY = ("tests/guardian/virtual/test_troubles.py::test_asks_no_sooner_than_it_may",)
ABOUT = r"provision\(\)"


@replaces(provisioning, "_retry_after")
def _retry_after(answer: Answer) -> float:
    """Be in a hurry."""
    return 0.0
