"""Break: the directory has another id of the vendor than the device told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_pelion.fake.directory import Directory
from tests.breaks.support.patching import existing, replaces
from tests.breaks.support.pelion import be_impatient

if TYPE_CHECKING:
    from harness_pelion.fake.records import DeviceRecord

TITLE = "the directory has another id of the vendor than the device told"
EXPECTED = (
    "test_evidence.py::test_device_is_registered",
    "test_evidence.py::test_each_link_holds[directory]",
)
ABOUT = r"directory|first_broken"

before = existing(Directory, "described")
be_impatient()


@replaces(Directory, "described")
def described(
    self: Directory, device_id: str, vendor_id: str | None, device_class: str | None
) -> DeviceRecord:
    """Turn one id round."""
    device: DeviceRecord = before(self, device_id, vendor_id, device_class)
    device.vendor_id = device.vendor_id[::-1]
    return device
