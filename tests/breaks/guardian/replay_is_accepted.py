"""Break: a request with the id or nonce of another one is accepted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian.fake import checks
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness_guardian.fake.checks import Finding
    from harness_guardian.fake.choices import Choices
    from harness_guardian.fake.records import ProvisioningRequest

TITLE = "a request with the id or nonce of another one is accepted"
EXPECTED = (
    "test_resubmission.py::test_request_id_of_another",
    "test_resubmission.py::test_nonce_of_another",
)
ABOUT = r"REJECTED_BY_SYSTEM|request_id"


_check = checks.check_acceptable


@replaces(checks, "check_acceptable")
def check_acceptable(request: ProvisioningRequest, choices: Choices) -> Finding | None:
    """Look at everything but what was used before."""
    request.replayed = False
    return _check(request, choices)
