"""Break: a device that leaves is registered in the directory as before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_pelion.fake.directory import Directory
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness_pelion.fake.records import DeviceRecord

TITLE = "a device that leaves stays registered in the directory"
NOTICED_BY = ("tests/pelion/lwm2m/test_registration.py::test_a_device_that_deregisters_is_gone",)
ABOUT = r"DEREGISTERED|state"


@replaces(Directory, "deregistered")
def deregistered(self: Directory, device_id: str, reason: str) -> DeviceRecord:
    """Keep it as it is."""
    return self._known(device_id)[0]
