"""Break: a device is unclaimed whenever it was claimed if the answer to our claim was lost."""

from __future__ import annotations

from harness_nordic.client_claims import Claims
from tests.breaks.support.patching import replaces

TITLE = "a device is unclaimed whenever it was claimed if the answer to our claim was lost"
NOTICED_BY = ("tests/nordic/claims/test_undone.py::test_claim_without_an_answer[*3600-False]",)
ABOUT = r"asked"


@replaces(Claims, "_undo_intended")
def _undo_intended(self: Claims, device_id: str, noted: float) -> str:
    """Look at no time."""
    return self._unclaim(device_id) if self.claimed_at(device_id) else "never made, or gone already"
