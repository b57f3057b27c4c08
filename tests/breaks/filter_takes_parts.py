"""Break: a filter of the list takes a part of an IMEI or type for the whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake import management
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_nordic.fake.records import ClaimedDevice

TITLE = "a filter of the list takes a part of an IMEI or type for the whole"
EXPECTED = (
    "test_listing.py::test_filter_by_imei",
    "test_listing.py::test_filter_by_type",
)
ABOUT = r"shown"

before = existing(management, "_has")


@replaces(management, "_has")
def _has(device: ClaimedDevice, name: str, wanted: str) -> bool:
    """Look for the text anywhere."""
    if name in {"imei", "deviceType"}:
        return wanted in device.to_json()[name]
    fits: bool = before(device, name, wanted)
    return fits
