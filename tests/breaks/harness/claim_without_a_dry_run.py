"""Break: the real service is not asked before a claim."""

from __future__ import annotations

from harness_nordic.client import NrfCloudClient
from tests.breaks.support.patching import replaces

TITLE = "the real service is not asked before a claim"
NOTICED_BY = ("tests/nordic/claims/test_untouched.py::test_real_service_is_asked_before_a_claim",)
ABOUT = r"dry run"


@replaces(NrfCloudClient, "dry_run")
def dry_run(self: NrfCloudClient, token: str) -> None:
    """Ask nothing."""
