"""Break: the directory says of a device that it is another account's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness_pelion.fake import device_calls
from tests.breaks.support.patching import existing, replaces
from tests.breaks.support.pelion import be_impatient

if TYPE_CHECKING:
    from harness_pelion.fake.records import DeviceRecord

TITLE = "the directory says of a device that it is another account's"
EXPECTED = ("test_evidence.py::test_each_link_holds[directory]",)
ABOUT = r"account is"

before = existing(device_calls, "device_json")
be_impatient()


@replaces(device_calls, "device_json")
def device_json(device: DeviceRecord) -> dict[str, Any]:
    """Name one that nobody has."""
    return {**before(device), "account_id": device.account_id[::-1]}
