"""Break: a token that is none is answered 400 instead of 422."""

from __future__ import annotations

from harness_nordic.fake import answers
from harness_nordic.fake.refusals import TokenRefused
from tests.breaks.support.patching import sets

TITLE = "a token that is none is answered 400 instead of 422"
EXPECTED = (
    "test_claiming.py::test_malformed_token*",
    "test_claiming.py::test_tampered_token",
    "test_claiming.py::test_unknown_device",
    "test_claiming.py::test_dry_run_of_a_malformed_token",
)
ABOUT = r"422|status == status"

sets(answers, "_STATUSES", {**answers._STATUSES, TokenRefused: 400})
