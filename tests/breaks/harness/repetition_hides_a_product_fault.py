"""Break: a test that failed by the product and passed when it ran again has passed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.merging import standing
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness.merging.junit import Case

TITLE = "a test that failed by the product and passed when it ran again has passed"
NOTICED_BY = (
    "tests/merging/test_standing.py::test_repetition_makes_good_the_rig_only[earlier4-later4-0]",
    "tests/merging/test_standing.py::test_fault_of_the_product_is_never_hidden",
    "tests/merging/test_merge.py::test_repetition_of_a_shard",
)
ABOUT = r"again.stands ==|in faults if faults|Accounts\(passed=4, failed=1\)"


@replaces(standing, "stands_against")
def stands_against(earlier: Case, later: Case) -> bool:
    """Let the last outcome count, whatever was before."""
    return later.outcome == "not run"
