"""Break: an IMEI of which a digit was lost on the line counts."""

from __future__ import annotations

from harness_nordic import identify
from tests.breaks.support.patching import replaces

TITLE = "an IMEI of which a digit was lost on the line counts"
NOTICED_BY = (
    "tests/nordic/test_identify.py::test_imei_is_found[a digit was lost once]",
    "tests/nordic/test_identify.py::test_numbers_that_never_agree_are_nobody",
)
ABOUT = r"harness_identify_board\(NRF91|identify\(console\) is None"


@replaces(identify, "is_checked")
def is_checked(imei: str) -> bool:
    """Trust every number of fifteen digits."""
    return True
