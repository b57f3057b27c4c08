"""Break: the directory names another certificate than the device bootstrapped with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness_pelion.fake import device_calls
from tests.breaks.support.patching import existing, replaces
from tests.breaks.support.pelion import be_impatient

if TYPE_CHECKING:
    from harness_pelion.fake.records import DeviceRecord

TITLE = "the directory names another certificate than the device bootstrapped with"
EXPECTED = (
    "test_evidence.py::test_device_is_registered",
    "test_evidence.py::test_each_link_holds[bootstrap]",
)
ABOUT = r"no device bootstrapped"

before = existing(device_calls, "device_json")
be_impatient()


@replaces(device_calls, "device_json")
def device_json(device: DeviceRecord) -> dict[str, Any]:
    """Name one that nobody made."""
    return {**before(device), "ca_id": device.ca_id[::-1]}
