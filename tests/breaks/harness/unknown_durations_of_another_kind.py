"""Break: what is unknown of a kind of board is made up from all kinds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from harness.scheduling import estimates
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness.scheduling.work import Work

TITLE = "what is unknown of a kind of board is made up from all kinds"
NOTICED_BY = ("tests/scheduling/test_estimates.py::test_what_is_not_known_is_the_median_of_this_kind",)
ABOUT = r"column"


@replaces(estimates, "_figure")
def figure(work: Work, kind: str) -> float | None:
    """Take what another kind took for known."""
    if not isinstance(work.seconds, Mapping):
        return work.seconds
    return next(iter(work.seconds.values()), None)
