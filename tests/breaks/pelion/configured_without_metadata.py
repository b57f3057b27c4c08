"""Break: a device is configured without the manufacturer."""

from __future__ import annotations

from harness_pelion.enums import Item
from tests.breaks.support.pelion import do_not_miss

TITLE = "a device is configured without the manufacturer"
EXPECTED = ("test_status.py::test_item_is_missing[mbed.Manufacturer]",)
ABOUT = r"status.configured"

do_not_miss(Item.MANUFACTURER, b"")
