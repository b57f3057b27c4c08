"""Break: commands behind a failed one are withheld although they are to be dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake.service import ProvisioningService
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness_nordic.enums import AfterError

TITLE = "commands behind a failed one are withheld although they are to be dropped"
EXPECTED = ("test_service_faults.py::test_commands_behind_a_failing_one_are_dropped",)
ABOUT = r"None"


@replaces(ProvisioningService, "order_after_error")
def order_after_error(self: ProvisioningService, owner_id: str, after_error: AfterError | None) -> None:
    """Hear the order and do nothing."""
