"""Break: words and exit status of the utility may contradict each other."""

from __future__ import annotations

from harness_pelion import driver_steps
from harness_pelion.driver_models import PelionStatus
from tests.breaks.support.patching import replaces

TITLE = "a status that contradicts itself is taken for well"
NOTICED_BY = ("tests/pelion/driver/test_driver.py::test_status_that_contradicts_itself[*",)
ABOUT = r"DID NOT RAISE"


@replaces(driver_steps, "judge_status")
def judge_status(status: int, output: str, errors: str) -> PelionStatus:
    """Believe the exit status."""
    return PelionStatus(configured=status == 0, reason=errors.strip())
