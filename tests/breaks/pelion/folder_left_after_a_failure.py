"""Break: the temporary folder stays when a step fails."""

from __future__ import annotations

from harness_pelion.driver_steps import RemoteDevice
from tests.breaks.support.patching import replaces

TITLE = "the temporary folder stays when a step of provisioning fails"
EXPECTED = ("test_transfer.py::test_no_room_for_the_files[scratch gets full]",)
ABOUT = r"folder"


@replaces(RemoteDevice, "_clean_up_after")
def _clean_up_after(self: RemoteDevice, error: BaseException) -> None:
    """Leave it for the next time."""
