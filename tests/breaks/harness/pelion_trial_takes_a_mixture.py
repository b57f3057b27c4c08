"""Break: a power trial takes a mixture for a good end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_pelion import power_trials
from harness_pelion.power_trials import Left, TrialFailed
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_pelion.driver_models import BoardSnapshot
    from harness_pelion.resources import DeveloperCredentials, UpdateResources

TITLE = "a power trial takes a mixture of old and new items for a good end"
NOTICED_BY = ("tests/pelion/test_power_trials.py::test_mixture_that_claims_to_be_configured*",)
ABOUT = r"DID NOT RAISE"

before_it = existing(power_trials, "judge_left")


@replaces(power_trials, "judge_left")
def judge_left(
    before: BoardSnapshot, now: BoardSnapshot, developer: DeveloperCredentials, update: UpdateResources
) -> Left:
    """Be generous."""
    try:
        left: Left = before_it(before, now, developer, update)
    except TrialFailed:
        return Left.OLD
    return left
