"""Break: a token that is none is answered 400 instead of 422."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake import answers
from harness_nordic.fake.refusals import TokenRefused
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_nordic.fake.choices import Choices
    from harness_nordic.fake.refusals import Refusal

TITLE = "a token that is none is answered 400 instead of 422"
EXPECTED = (
    "test_claiming.py::test_malformed_token*",
    "test_claiming.py::test_tampered_token",
    "test_claiming.py::test_unknown_device",
    "test_claiming.py::test_dry_run_of_a_malformed_token",
)
ABOUT = r"422|status == status"

before = existing(answers, "status_of")


@replaces(answers, "status_of")
def status_of(refusal: Refusal, choices: Choices) -> int:
    """Take a bad token for a bad request."""
    status: int = 400 if isinstance(refusal, TokenRefused) else before(refusal, choices)
    return status
