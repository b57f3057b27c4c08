"""Break: an onboarded device is deleted that was there before."""

from __future__ import annotations

from harness_nordic.client_core_accounts import CoreAccounts
from tests.breaks.support.patching import replaces

TITLE = "an onboarded device is deleted that was there before"
NOTICED_BY = ("tests/nordic/claims/test_rows_and_core.py::test_core_device_is_deleted_only_when_it_is_ours*",)
ABOUT = r"methods"


@replaces(CoreAccounts, "_delete_if_ours")
def _delete_if_ours(self: CoreAccounts, device_id: str, noted: float, *, expected: bool) -> str:
    """Look at no time."""
    return self._delete(device_id)
