"""Break: a device is configured without the bootstrap server's address."""

from __future__ import annotations

from harness_pelion.enums import Item
from tests.breaks.support.pelion import do_not_miss

TITLE = "a device is configured without the bootstrap server's address"
EXPECTED = ("test_status.py::test_item_is_missing[mbed.BootstrapServerURI]",)
ABOUT = r"status.configured"

do_not_miss(Item.BOOTSTRAP_SERVER_URI, b"coaps://any?aid=any")
