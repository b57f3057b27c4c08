"""Break: a device that went away keeps the temporary folder when it comes back."""

from __future__ import annotations

from harness_pelion.driver_steps import RemoteDevice
from tests.breaks.support.patching import replaces

TITLE = "a device whose connection was lost keeps its temporary folder"
NOTICED_BY = (
    "tests/pelion/driver/test_steps.py::test_lost_connection_is_told_and_cleaned_up[*-2]",
    "tests/pelion/driver/test_steps.py::test_lost_connection_is_told_and_cleaned_up[*-3]",
)
ABOUT = r"assert"


@replaces(RemoteDevice, "_clean_up_after")
def _clean_up_after(self: RemoteDevice, error: BaseException) -> None:
    """Leave it for the next time."""
