"""Break: the same request makes a row each time that it comes."""

from __future__ import annotations

import secrets
from dataclasses import replace

from harness_guardian.fake import submitting
from tests.breaks.support.patching import replaces

TITLE = "the same request makes a row each time that it comes"
EXPECTED = (
    "test_resubmission.py::test_the_same_request_again",
    "test_resubmission.py::test_a_board_submits_again",
    "test_resubmission.py::test_again_after_a_rejection",
)
ABOUT = r"created|ids|rows|status"


_read = submitting.read


@replaces(submitting, "read")
def read(content: bytes, media_type: str) -> submitting.Arrival:
    """Never know the bytes again."""
    return replace(_read(content, media_type), digest=secrets.token_bytes(32))
