"""Break: requests of any age are accepted."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness_guardian.fake import checks
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness_guardian.fake.checks import Finding
    from harness_guardian.fake.choices import Choices
    from harness_guardian.fake.records import ProvisioningRequest

TITLE = "requests of any age are accepted"
EXPECTED = (
    "test_resubmission.py::test_age_of_a_request[-2678400-False]",
    "test_resubmission.py::test_age_of_a_request[360-False]",
    "test_resubmission.py::test_request_that_lay_for_a_month",
)
ABOUT = r"REJECTED_BY_SYSTEM"


_check = checks.check_acceptable


@replaces(checks, "check_acceptable")
def check_acceptable(request: ProvisioningRequest, choices: Choices) -> Finding | None:
    """Let requests be as old and as new as they like."""
    return _check(request, replace(choices, oldest_request=1e12, newest_request=1e12))
